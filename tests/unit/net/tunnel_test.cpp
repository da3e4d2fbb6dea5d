#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include <mqtt/net/tunnel.hpp>
#include <unit/net/fake_stream.hpp>
#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using namespace std::string_literals;

const std::string hello = "\5\1\0"s, no_login = "\5\0"s, success = "\5\0\0\1\x7f\0\0\1\0\0"s;
const std::string wanted_request = "\5\1\0\3\6broker\7\x5b"s;

/// Over a stream in memory.
class TunnelStreamTest : public testing::Test {
 protected:
  TunnelStreamTest() {
    stream_ =
        make_tunnel_client(loop_, std::make_unique<FakeStream>(wire_), {ProxyKind::socks5h, {"proxy", 1080}},
                           {"broker", 1883}, [this](Result<void> result) {
                             opened_ = std::move(result);
                             if (*opened_) stream_->set_handler(&recorder_);
                           });
    run_ready(loop_);
  }

  Loop loop_;
  std::shared_ptr<Wire> wire_ = std::make_shared<Wire>();
  Recorder recorder_;
  std::optional<Result<void>> opened_;
  std::unique_ptr<ByteStream> stream_;
};

TEST_F(TunnelStreamTest, WhatComesBehindTheReplyIsTheDestinations) {
  EXPECT_EQ(wire_->written, hello);
  wire_->push(no_login);
  EXPECT_EQ(wire_->written, hello + wanted_request);
  EXPECT_FALSE(opened_);
  wire_->push(success + "first");
  ASSERT_TRUE(opened_ && *opened_);
  EXPECT_EQ(recorder_.data, "first");
  wire_->push("second");
  EXPECT_EQ(recorder_.data, "firstsecond");
  EXPECT_EQ(*write_text(*stream_, "hello"), 5U);
  EXPECT_THAT(wire_->written, testing::EndsWith("hello"));
  EXPECT_EQ(stream_->peer(), "broker:1883 through proxy proxy:1080");
}

TEST_F(TunnelStreamTest, AnswersInOnePieceAreTakenOneAfterTheOther) {
  wire_->push(no_login + success + "first");
  ASSERT_TRUE(opened_ && *opened_);
  EXPECT_EQ(wire_->written, hello + wanted_request);
  EXPECT_EQ(recorder_.data, "first");
}

TEST_F(TunnelStreamTest, OwnWordsComeBeforeTheCallers) {
  wire_->room = 0;
  wire_->push(no_login + success);
  ASSERT_TRUE(opened_ && *opened_);
  EXPECT_EQ(*write_text(*stream_, "hello"), 0U);
  wire_->make_room(100);
  EXPECT_EQ(recorder_.writable_calls, 1U);
  EXPECT_EQ(*write_text(*stream_, "hello"), 5U);
  EXPECT_EQ(wire_->written, hello + wanted_request + "hello");
}

TEST_F(TunnelStreamTest, AnEarlyEndNamesTheProxy) {
  wire_->push(no_login);
  wire_->end();
  ASSERT_TRUE(opened_ && !*opened_);
  EXPECT_EQ(opened_->error().domain, ErrorDomain::proxy);
  EXPECT_EQ(opened_->error().context, "proxy proxy:1080 closed the connection without an answer");
}

TEST_F(TunnelStreamTest, ARefusalNamesTheProxy) {
  wire_->push("\5\xFF"s);
  ASSERT_TRUE(opened_ && !*opened_);
  EXPECT_EQ(opened_->error().context, "proxy proxy:1080 wants credentials");
}

StreamTarget through(std::uint16_t proxy_port, ProxyKind kind, const std::string& host) {
  StreamTarget target = tcp_target(1883, host);
  target.connect.proxy = ProxyServer{kind, {"127.0.0.1", proxy_port}};
  return target;
}

TEST(Tunnel, OpensAndLeavesWhatTheProxyBringsBehindItsAnswer) {
  Loop loop;
  ScriptedServer proxy{loop, "HTTP/1.1 200 OK\r\n\r\nhello"};
  auto opened = open_now(loop, through(proxy.port(), ProxyKind::http, "broker"));
  ASSERT_TRUE(opened) << opened.error().context;
  Recorder recorder;
  (*opened)->set_handler(&recorder);
  EXPECT_TRUE(run_until(loop, [&] { return recorder.data == "hello"; }));
  EXPECT_THAT(proxy.recorder.data, StartsWith("CONNECT broker:1883 HTTP/1.1\r\n"));
}

TEST(Tunnel, AnUnreachableProxyIsAProxyFailure) {
  Loop loop;
  const DeafPort port;
  const auto opened = open_now(loop, through(port.port(), ProxyKind::socks5h, "broker"));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().domain, ErrorDomain::proxy);
  EXPECT_EQ(opened.error().code, ECONNREFUSED);
  EXPECT_THAT(opened.error().context, StartsWith("cannot reach proxy 127.0.0.1:"));
}

TEST(Tunnel, EveryHostIsTriedAndTheSameFailureIsToldOnce) {
  Loop loop;
  const DeafPort port;
  StreamTarget target = through(port.port(), ProxyKind::socks5h, "a");
  target.hosts.push_back({"b", 1883});
  const auto opened = open_now(loop, target);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().context, testing::Not(HasSubstr("; ")));
}

TEST(Tunnel, ASilentProxyIsNamedWhenTimeIsUp) {
  Loop loop;
  ScriptedServer proxy{loop, ""};
  StreamTarget target = through(proxy.port(), ProxyKind::socks5h, "broker");
  target.connect.deadline = loop.refresh_now() + 500ms;
  const auto opened = open_now(loop, target);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().domain, ErrorDomain::proxy);
  EXPECT_EQ(opened.error().code, ETIMEDOUT);
  EXPECT_THAT(opened.error().context, StartsWith("no answer from proxy 127.0.0.1:"));
}

TEST(Tunnel, Socks5LooksTheNameUpHere) {
  Loop loop;
  ScriptedServer proxy{loop, "\5\0"s};
  StreamTarget target = through(proxy.port(), ProxyKind::socks5, "broker");
  target.connect.overrides = {{"broker", 1883, {*SocketAddress::parse("10.1.2.3", 0)}}};
  target.connect.deadline = loop.refresh_now() + 1s;
  EXPECT_FALSE(open_now(loop, target));
  EXPECT_THAT(proxy.recorder.data, HasSubstr("\5\1\0\1\x0a\1\2\3\7\x5b"s));
}

TEST(Tunnel, HostsOfTheBypassAreConnectedDirectly) {
  Loop loop;
  EchoServer server{loop, {}};
  const DeafPort port;
  StreamTarget target = through(port.port(), ProxyKind::socks5h, "127.0.0.1");
  target.hosts.front().port = server.port();
  EXPECT_FALSE(open_now(loop, target));
  target.connect.proxy->bypass = "127.0.0.0/8";
  EXPECT_TRUE(open_now(loop, target));
}

TEST(Connector, AnInterfaceThatIsNotThereIsToldAndLoopbackIsUsed) {
  Loop loop;
  EchoServer server{loop, {}};
  StreamTarget target = tcp_target(server.port());
  target.connect.interface = "nosuchif0";
  const auto opened = open_now(loop, target);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().domain, ErrorDomain::system);
  target.connect.interface = "lo";
  EXPECT_TRUE(open_now(loop, target));
}

TEST(Connector, OverriddenNamesAreNotLookedUp) {
  Loop loop;
  EchoServer server{loop, {}};
  StreamTarget target = tcp_target(server.port(), "broker.invalid");
  target.connect.overrides = {{"BROKER.invalid", server.port(), {*SocketAddress::parse("127.0.0.1", 0)}}};
  EXPECT_TRUE(open_now(loop, target));
  target.connect.overrides.front().host = "*";
  EXPECT_TRUE(open_now(loop, target));
  target.connect.overrides.front().port = 1;
  EXPECT_FALSE(open_now(loop, target)) << "another port is another place";
}

}  // namespace
}  // namespace mqtt::net::test
