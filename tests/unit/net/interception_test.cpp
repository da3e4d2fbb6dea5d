// What stands between TLS clients and a server needs: to hear what a client asks for, and to be trusted by
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include <mqtt/net/client_hello.hpp>
#include <mqtt/net/tls_throwaway.hpp>

#include <unit/net/fake_stream.hpp>
#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The ClientHello of our own client.
std::string hello_bytes(const std::string& name, std::vector<std::string> alpn = {}) {
  Loop loop;
  const auto wire = std::make_shared<Wire>();
  TlsOptions options;
  options.insecure = true;
  options.alpn = std::move(alpn);
  const auto stream = make_tls_client(loop, std::make_unique<FakeStream>(wire),
                                      TlsContext::client(options).value(), name, [](Result<void>) {});
  EXPECT_TRUE(run_until(loop, [&] { return !wire->written.empty(); }));
  return wire->written;
}

TEST(ClientHello, NameAndProtocolsInOrder) {
  const auto hello = read_client_hello(as_bytes(hello_bytes("broker.example", {"x-amzn-mqtt-ca", "mqtt"})));
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->server_name, "broker.example");
  EXPECT_THAT(hello->alpn, ElementsAre("x-amzn-mqtt-ca", "mqtt"));
}

TEST(ClientHello, AnAddressIsNoServerName) {
  const auto hello = read_client_hello(as_bytes(hello_bytes("127.0.0.1")));
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->server_name, "");
  EXPECT_THAT(hello->alpn, IsEmpty());
}

TEST(ClientHello, EveryPartOfOneIsNotYetOne) {
  const std::string whole = hello_bytes("broker.example", {"mqtt"});
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(read_client_hello(as_bytes(whole).first(size))) << size;
}

TEST(ClientHello, SplitOverManyRecords) {
  const std::string whole = hello_bytes("broker.example", {"mqtt"});
  std::string records;
  for (std::size_t at = 5; at < whole.size(); at += 7) {
    const std::string piece = whole.substr(at, 7);
    records += whole.substr(0, 3) + '\0' + static_cast<char>(piece.size()) + piece;
  }
  const auto hello = read_client_hello(as_bytes(records));
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->server_name, "broker.example");
}

TEST(ClientHello, WhatIsNoneIsEmptyAtOnce) {
  for (const std::string_view text : {"\x10\x0c\0\4MQTT", "GET / HTTP/1.1\r\n", "\x15"}) {
    const auto hello = read_client_hello(as_bytes(text));
    ASSERT_TRUE(hello) << text;
    EXPECT_EQ(hello->server_name, "");
  }
}

TEST(ClientHello, DamageIsReadWithoutHarm) {
  const std::string whole = hello_bytes("broker.example", {"mqtt"});
  std::mt19937_64 random{7};
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = whole;
    for (int n = 0; n < 3; ++n) damaged[random() % damaged.size()] = static_cast<char>(random());
    (void)read_client_hello(as_bytes(damaged));
  }
}

class ThrowawayCaTest : public testing::Test {
 protected:
  /// Opens a connection to a server with a certificate for `issued`.
  Result<std::unique_ptr<ByteStream>> open(const std::string& issued, const std::string& asked) {
    const ThrowawayCa ca = ThrowawayCa::make().value();
    TlsOptions server;
    server.identity_pem = ca.issue(issued).value();
    ListenOptions listen;
    listen.tls = TlsContext::server(server).value();
    server_ = std::make_unique<EchoServer>(loop_, std::move(listen));
    TlsOptions client;
    client.ca_file = directory_.write("ca.pem", ca.certificate());
    StreamTarget target = tcp_target(server_->port());
    target.tls = TlsContext::client(client).value();
    target.tls_server_name = asked;
    return open_now(loop_, target);
  }

  Loop loop_;
  TempDirectory directory_;
  std::unique_ptr<EchoServer> server_;
};

TEST_F(ThrowawayCaTest, IsTrustedForNamesAndAddresses) {
  EXPECT_TRUE(open("broker.example", "broker.example").has_value());
  EXPECT_TRUE(open("127.0.0.1", "127.0.0.1").has_value());
  EXPECT_TRUE(open("::1", "::1").has_value());
}

TEST_F(ThrowawayCaTest, IsForThatNameOnly) {
  EXPECT_FALSE(open("broker.example", "other.example").has_value());
}

TEST_F(ThrowawayCaTest, MakesNoCertificateForWhatIsNoName) {
  const ThrowawayCa ca = ThrowawayCa::make().value();
  for (const char* name : {"", "a,DNS:b", "a b", "a\nb", "a/b"}) EXPECT_FALSE(ca.issue(name)) << name;
}

TEST_F(ThrowawayCaTest, EachIsAnotherOne) {
  EXPECT_NE(ThrowawayCa::make().value().certificate(), ThrowawayCa::make().value().certificate());
}

TEST(HelloReader, LeavesTheHelloToWhoReadsOn) {
  Loop loop;
  const auto wire = std::make_shared<Wire>();
  const std::string whole = hello_bytes("broker.example");
  std::optional<std::string> name;
  const auto stream = make_hello_reader(
      loop, std::make_unique<FakeStream>(wire),
      [&](Result<ClientHello> hello) { name = hello ? hello->server_name : hello.error().context; });
  wire->push(whole.substr(0, 100));
  EXPECT_FALSE(name);
  wire->push(whole.substr(100));
  EXPECT_EQ(name, "broker.example");
  Recorder recorder;
  stream->set_handler(&recorder);
  EXPECT_TRUE(run_until(loop, [&] { return recorder.data.size() == whole.size(); }));
  EXPECT_EQ(recorder.data, whole);
}

TEST(HelloReader, AConnectionThatEndsBeforeItIsAnError) {
  Loop loop;
  const auto wire = std::make_shared<Wire>();
  std::optional<Error> error;
  const auto stream =
      make_hello_reader(loop, std::make_unique<FakeStream>(wire), [&](Result<ClientHello> hello) {
        if (!hello) error = hello.error();
      });
  wire->push("\x16\x03");
  wire->end();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->domain, ErrorDomain::tls);
}

}  // namespace
}  // namespace mqtt::net::test
