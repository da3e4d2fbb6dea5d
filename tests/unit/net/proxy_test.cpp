#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include <mqtt/net/proxy.hpp>
#include <unit/net/certificates.hpp>
#include <unit/net/fake_stream.hpp>
#include <unit/net/net_test.hpp>
#include <unit/net/proxy_bytes.hpp>

namespace mqtt::net::test {
namespace {

using testing::EndsWith;
using testing::StartsWith;

const std::string relayed = "PROXY TCP4 192.0.2.7 127.0.0.1 4660 1883\r\n";

/// Over a stream in memory.
class ProxiedStreamTest : public testing::Test {
 protected:
  void open() {
    wire_ = std::make_shared<Wire>();
    recorder_ = {};
    opened_.reset();
    stream_ = make_proxied_server(loop_, std::make_unique<FakeStream>(wire_), [this](Result<void> result) {
      opened_ = std::move(result);
      if (*opened_) stream_->set_handler(&recorder_);
    });
  }

  Loop loop_;
  std::shared_ptr<Wire> wire_;
  Recorder recorder_;
  std::optional<Result<void>> opened_;
  std::unique_ptr<ByteStream> stream_;
};

TEST_F(ProxiedStreamTest, HeaderAndFirstBytesInOnePiece) {
  for (const std::string& header : proxy_headers()) {
    open();
    wire_->push(header + "first");
    ASSERT_TRUE(opened_ && *opened_) << header;
    EXPECT_EQ(recorder_.data, "first");
    wire_->push("second");
    EXPECT_EQ(recorder_.data, "firstsecond");
  }
}

TEST_F(ProxiedStreamTest, CutAtEveryByte) {
  for (const std::string& header : proxy_headers()) {
    const std::string whole = header + "first";
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
      open();
      wire_->push(std::string_view{whole}.substr(0, cut));
      EXPECT_EQ(opened_.has_value(), cut >= header.size());
      wire_->push(std::string_view{whole}.substr(cut));
      ASSERT_TRUE(opened_ && *opened_) << cut;
      EXPECT_EQ(recorder_.data, "first") << cut;
    }
  }
}

TEST_F(ProxiedStreamTest, ByteByByte) {
  for (const std::string& header : proxy_headers()) {
    open();
    for (const char byte : header + "first") wire_->push({&byte, 1});
    ASSERT_TRUE(opened_ && *opened_);
    EXPECT_EQ(recorder_.data, "first");
  }
}

TEST_F(ProxiedStreamTest, PeerIsWhomTheProxySpeaksFor) {
  const std::vector<std::string> peers{"192.0.2.7:4660", "[2001:db8::7]:4660", "fake peer",
                                       "192.0.2.7:4660", "[2001:db8::7]:4660", "fake peer",
                                       "fake peer"};
  std::vector<std::string> seen;
  for (const std::string& header : proxy_headers()) {
    open();
    EXPECT_EQ(stream_->peer(), "fake peer");
    wire_->push(header);
    seen.push_back(stream_->peer());
  }
  EXPECT_EQ(seen, peers);
}

TEST_F(ProxiedStreamTest, GarbageIsRefusedAtOnceAndNothingOfItDelivered) {
  open();
  wire_->push("\x10\x0C");
  ASSERT_TRUE(opened_ && !*opened_);
  EXPECT_EQ(opened_->error().code, EPROTO);
  EXPECT_EQ(recorder_.data_calls, 0u);
}

TEST_F(ProxiedStreamTest, EndBeforeTheHeaderIs) {
  open();
  wire_->push("PROXY TCP4 192");
  wire_->end();
  ASSERT_TRUE(opened_ && !*opened_);
  EXPECT_EQ(opened_->error().context, "closed before its PROXY protocol header was complete");
}

TEST_F(ProxiedStreamTest, WaitsForAPausedHandlerAndThenGoesOn) {
  open();
  recorder_.after_data = [&] { stream_->pause_reading(); };
  wire_->push(relayed);
  stream_->pause_reading();
  EXPECT_TRUE(wire_->paused);
  stream_->resume_reading();
  run_ready(loop_);
  EXPECT_FALSE(wire_->paused);
  wire_->push("a");
  wire_->push("lost, for the stream below was told to wait");
  EXPECT_EQ(recorder_.data, "a");
}

TEST_F(ProxiedStreamTest, KeepsWhatFollowsTheHeaderForALateHandler) {
  wire_ = std::make_shared<Wire>();
  stream_ = make_proxied_server(loop_, std::make_unique<FakeStream>(wire_),
                                [this](Result<void> result) { opened_ = std::move(result); });
  wire_->push(relayed + "first");
  ASSERT_TRUE(opened_ && *opened_);
  EXPECT_TRUE(wire_->paused);
  stream_->set_handler(&recorder_);
  run_ready(loop_);
  EXPECT_EQ(recorder_.data, "first");
  wire_->end();
  EXPECT_EQ(recorder_.ends, 1u);
}

TEST_F(ProxiedStreamTest, WritesStraightThroughWithTheInnerStreamsPace) {
  open();
  EXPECT_FALSE(write_text(*stream_, "too early").has_value());
  wire_->push(relayed);
  wire_->room = 3;
  EXPECT_EQ(write_text(*stream_, "answer").value(), 3u);
  EXPECT_EQ(wire_->written, "ans");
  wire_->make_room(10);
  EXPECT_EQ(recorder_.writable_calls, 1u);
  EXPECT_EQ(write_text(*stream_, "wer").value(), 3u);
  EXPECT_EQ(wire_->written, "answer");
  stream_->shutdown();
  EXPECT_TRUE(wire_->shut_down);
  EXPECT_FALSE(write_text(*stream_, "too late").has_value());
}

TEST_F(ProxiedStreamTest, MayBeDestroyedByWhatItDelivers) {
  open();
  recorder_.after_data = [&] { stream_.reset(); };
  wire_->push(relayed + "first");
  EXPECT_EQ(stream_, nullptr);
  wire_ = std::make_shared<Wire>();
  stream_ = make_proxied_server(loop_, std::make_unique<FakeStream>(wire_),
                                [this](Result<void>) { stream_.reset(); });
  wire_->push(relayed + "first");
  EXPECT_EQ(stream_, nullptr);
}

/// Over sockets.
class ProxyListenerTest : public testing::Test {
 protected:
  static ListenOptions proxied() {
    ListenOptions options;
    options.proxy_protocol = ProxyProtocol::required;
    return options;
  }

  /// A plain connection that has sent `text`.
  std::unique_ptr<ByteStream> say(EchoServer& server, std::string_view text) {
    auto stream = open_now(loop_, tcp_target(server.port()));
    EXPECT_TRUE(stream && write_text(**stream, text));
    return stream ? std::move(*stream) : nullptr;
  }

  Loop loop_;
  Recorder recorder_;
};

TEST_F(ProxyListenerTest, AcceptsWithTheProxiedPeer) {
  EchoServer server{loop_, proxied()};
  const auto stream = say(server, relayed + "hello");
  stream->set_handler(&recorder_);
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.data == "hello"; }));
  EXPECT_EQ(server.stream(0).peer(), "192.0.2.7:4660");
}

TEST_F(ProxyListenerTest, IsBelowTlsAndWebSocket) {
  Authority authority;
  ListenOptions options = proxied();
  options.tls = TlsContext::server(server_options(authority.issue())).value();
  options.ws = WsServerOptions{"/mqtt", {"mqtt"}};
  EchoServer server{loop_, options};

  const auto tls = TlsContext::client(client_options(authority)).value();
  auto plain = say(server, relayed);
  bool open = false;
  std::unique_ptr<ByteStream> stream;
  stream = make_tls_client(loop_, std::move(plain), tls, "localhost", [&](Result<void> secured) {
    ASSERT_TRUE(secured.has_value()) << secured.error().context;
    open = true;
  });
  ASSERT_TRUE(run_until(loop_, [&] { return open; }));
  stream->set_handler(&recorder_);
  ASSERT_TRUE(write_text(*stream,
                         "GET /mqtt HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Protocol: mqtt\r\n\r\n")
                  .has_value());
  ASSERT_TRUE(run_until(loop_, [&] { return server.connections() == 1; }));
  EXPECT_EQ(server.stream(0).peer(), "192.0.2.7:4660");
  EXPECT_EQ(server.stream(0).properties().tls_version, "TLSv1.3");
  EXPECT_EQ(server.stream(0).properties().subprotocol, "mqtt");
}

TEST_F(ProxyListenerTest, NamesThePeerOfWhatItRefuses) {
  EchoServer server{loop_, proxied()};
  const auto stream = say(server, "\x10\x0C");
  stream->set_handler(&recorder_);
  ASSERT_TRUE(run_until(loop_, [&] { return !server.failures().empty() && recorder_.over(); }));
  EXPECT_THAT(server.failures()[0].context, StartsWith("127.0.0.1:"));
  EXPECT_THAT(server.failures()[0].context,
              EndsWith(": no PROXY protocol header (does the proxy send one?)"));
  EXPECT_EQ(server.connections(), 0u);
}

TEST_F(ProxyListenerTest, NamesTheProxiedPeerOfAFailedHandshake) {
  Authority authority;
  ListenOptions options = proxied();
  options.tls = TlsContext::server(server_options(authority.issue())).value();
  EchoServer server{loop_, options};
  const auto stream = say(server, relayed + "\x10\x0C");
  ASSERT_TRUE(run_until(loop_, [&] { return !server.failures().empty(); }));
  EXPECT_EQ(server.failures()[0].context, "192.0.2.7:4660: the peer does not speak TLS (plain TCP port?)");
}

TEST_F(ProxyListenerTest, HeaderCountsAgainstTheHandshakesTime) {
  ListenOptions options = proxied();
  options.handshake_timeout = 400ms;
  EchoServer server{loop_, options};
  const auto stream = say(server, "PROXY TCP4 ");
  ASSERT_TRUE(run_until(loop_, [&] { return !server.failures().empty(); }));
  EXPECT_EQ(server.failures()[0].domain, ErrorDomain::timeout);
  EXPECT_THAT(server.failures()[0].context, StartsWith("no PROXY protocol header from 127.0.0.1:"));
}

TEST_F(ProxyListenerTest, OffTakesAHeaderForData) {
  EchoServer server{loop_, {}};
  const auto stream = say(server, relayed);
  stream->set_handler(&recorder_);
  ASSERT_TRUE(run_until(loop_, [&] { return recorder_.data == relayed; }));
}

}  // namespace
}  // namespace mqtt::net::test
