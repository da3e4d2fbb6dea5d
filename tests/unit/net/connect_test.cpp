#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <cerrno>

#include <mqtt/net/connector.hpp>
#include <mqtt/net/race.hpp>
#include <mqtt/net/resolver.hpp>
#include <mqtt/net/time_limit.hpp>
#include <unit/net/certificates.hpp>
#include <unit/net/net_test.hpp>

namespace mqtt::net::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::string> texts(const std::vector<SocketAddress>& addresses) {
  std::vector<std::string> all;
  for (const SocketAddress& address : addresses) all.push_back(address.text());
  return all;
}

Result<std::vector<SocketAddress>> look_up(Loop& loop, const std::string& host, Family family = Family::any) {
  std::optional<Result<std::vector<SocketAddress>>> result;
  const Lookup lookup{loop, host, 1883, family, [&](auto addresses) { result = std::move(addresses); }};
  EXPECT_FALSE(result.has_value()) << "not from the constructor";
  EXPECT_TRUE(run_until(loop, [&] { return result.has_value(); }));
  return *result;
}

TEST(SocketAddress, ReadsLiteralsOnly) {
  EXPECT_EQ(SocketAddress::parse("127.0.0.1", 80)->text(), "127.0.0.1:80");
  EXPECT_EQ(SocketAddress::parse("::1", 80)->text(), "[::1]:80");
  EXPECT_EQ(SocketAddress::parse("fe80::1%lo", 80)->text(), "[fe80::1%lo]:80");
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv, "localhost"sv, "127.1"sv, "1883"sv, "[::1]"sv, "::1%"sv,
                                      "::1%nosuchinterface"sv, "127.0.0.1 "sv, "127.0.0.1\0"sv})
    EXPECT_FALSE(SocketAddress::parse(text, 80)) << text;
}

TEST(Lookup, AnswersLiteralsAndLocalhostWithoutAThread) {
  Loop loop;
  EXPECT_THAT(texts(*look_up(loop, "10.1.2.3")), ElementsAre("10.1.2.3:1883"));
  EXPECT_THAT(texts(*look_up(loop, "::2")), ElementsAre("[::2]:1883"));
  for (const char* name : {"localhost", "LocalHost.", "broker.localhost"})
    EXPECT_THAT(texts(*look_up(loop, name)), ElementsAre("[::1]:1883", "127.0.0.1:1883")) << name;
  EXPECT_THAT(texts(*look_up(loop, "localhost", Family::ipv4)), ElementsAre("127.0.0.1:1883"));
  EXPECT_THAT(texts(*look_up(loop, "localhost", Family::ipv6)), ElementsAre("[::1]:1883"));
}

TEST(Lookup, NamesWhatCannotBeResolved) {
  Loop loop;
  const auto failed = look_up(loop, "does-not-exist.invalid");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().domain, ErrorDomain::resolve);
  EXPECT_THAT(failed.error().context, StartsWith("cannot resolve 'does-not-exist.invalid': "));
  EXPECT_EQ(look_up(loop, "").error().code, EAI_NONAME);
  EXPECT_EQ(look_up(loop, "10.1.2.3", Family::ipv6).error().code, EAI_ADDRFAMILY);
  EXPECT_EQ(look_up(loop, "notlocalhost.invalid").error().domain, ErrorDomain::resolve);
}

TEST(Lookup, MayBeDestroyedWhileItsThreadWorks) {
  Loop loop;
  for (int i = 0; i < 20; ++i) {
    const Lookup lookup{loop, "does-not-exist.invalid", 1, Family::any, [](const auto&) { FAIL(); }};
  }
  run_ready(loop);
}

TEST(Lookup, MayBeDestroyedInItsOwnCallbackAndLeavesNothingToWaitFor) {
  Loop loop;
  int calls = 0;
  for (const char* host : {"127.0.0.1", "does-not-exist.invalid"}) {
    std::unique_ptr<Lookup> lookup;
    lookup = std::make_unique<Lookup>(loop, host, 1, Family::any, [&](const auto&) {
      ++calls;
      lookup.reset();
    });
    loop.run();
  }
  EXPECT_EQ(calls, 2);
}

TEST(Race, TakesFamiliesInTurn) {
  std::vector<SocketAddress> addresses;
  for (const char* text : {"::1", "::2", "::3", "10.0.0.1"})
    addresses.push_back(*SocketAddress::parse(text, 1));
  EXPECT_THAT(texts(interleave_families(addresses)),
              ElementsAre("[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1"));
}

TEST(Race, DescribesFailuresMostTellingFirst) {
  const SocketAddress a = *SocketAddress::parse("::1", 1), b = *SocketAddress::parse("10.0.0.1", 1);
  const Error error = describe_failures({{a, ENETUNREACH}, {b, ECONNREFUSED}});
  EXPECT_EQ(error.code, ECONNREFUSED);
  EXPECT_EQ(error.context,
            "connection refused by 10.0.0.1:1; cannot connect to [::1]:1: Network is unreachable");
}

TEST(TimeLimit, IsRoundedForReading) {
  EXPECT_EQ(timeout_error("nothing", 10s).context, "nothing within 10s");
  EXPECT_EQ(timeout_error("nothing", 10s - 700us).context, "nothing within 10s");
  EXPECT_EQ(timeout_error("nothing", 250ms - 3us).context, "nothing within 250ms");
  EXPECT_EQ(timeout_error("nothing", -1s).context, "nothing within 0s");
}

class OpenTest : public testing::Test {
 protected:
  Error failure(StreamTarget target) {
    const auto stream = open_now(loop_, std::move(target));
    EXPECT_FALSE(stream.has_value());
    return stream ? Error{} : stream.error();
  }
  StreamTarget ws_target(std::uint16_t port) {
    StreamTarget target = tcp_target(port);
    target.ws.emplace();
    target.ws->path = "/mqtt";
    target.ws->subprotocols = {"mqtt"};
    return target;
  }
  StreamTarget soon(StreamTarget target) {
    target.connect.deadline = loop_.refresh_now() + 400ms;
    return target;
  }

  Loop loop_;
};

TEST_F(OpenTest, RefusedByEveryAddressNamesAll) {
  const DeafPort deaf;
  const std::string port = std::to_string(deaf.port());
  const Error one = failure(tcp_target(deaf.port()));
  EXPECT_EQ(one.domain, ErrorDomain::system);
  EXPECT_EQ(one.code, ECONNREFUSED);
  EXPECT_EQ(one.context, "connection refused by 127.0.0.1:" + port);
  const Error both = failure(tcp_target(deaf.port(), "localhost"));
  EXPECT_EQ(both.code, ECONNREFUSED);
  EXPECT_EQ(both.context, "connection refused by [::1]:" + port + " and 127.0.0.1:" + port);
}

TEST_F(OpenTest, FallsFromIpv6ToIpv4) {
  EchoServer server{loop_, {}};  // on 127.0.0.1 only
  const auto stream = open_now(loop_, tcp_target(server.port(), "localhost"));
  ASSERT_TRUE(stream.has_value()) << stream.error().context;
  EXPECT_EQ((*stream)->peer(), "127.0.0.1:" + std::to_string(server.port()));
}

TEST_F(OpenTest, ARefusalDoesNotWaitForTheNextAttemptsTime) {
  EchoServer server{loop_, {}};
  const DeafPort deaf;
  std::vector<SocketAddress> addresses(400, *SocketAddress::parse("127.0.0.1", deaf.port()));
  addresses.push_back(*SocketAddress::parse("127.0.0.1", server.port()));
  std::optional<bool> connected;
  Race race{loop_, addresses, {}, [&](auto result) { connected = result.has_value(); }};
  const TimePoint start = loop_.refresh_now();
  race.start();
  ASSERT_TRUE(run_until(loop_, [&] { return connected.has_value(); }));
  EXPECT_TRUE(*connected);
  EXPECT_LT(loop_.refresh_now() - start, 1min) << "400 times a quarter of a second are a hundred";
}

TEST_F(OpenTest, SilentAddressIsRacedAfterAQuarterSecond) {
  EchoServer server{loop_, {}};
  // A blackhole address of the other family, then the server.
  std::vector<SocketAddress> addresses{*SocketAddress::parse("100::1", server.port()),
                                       *SocketAddress::parse("127.0.0.1", server.port())};
  std::optional<bool> connected;
  Race race{loop_, addresses, {}, [&](auto result) { connected = result.has_value(); }};
  race.start();
  ASSERT_TRUE(run_until(loop_, [&] { return connected.has_value(); }));
  EXPECT_TRUE(*connected);
}

TEST_F(OpenTest, TriesHostsInOrder) {
  EchoServer server{loop_, {}};
  const DeafPort deaf;
  StreamTarget target = tcp_target(deaf.port());
  target.hosts.insert(target.hosts.begin(), {"does-not-exist.invalid", 1});
  const Error error = failure(target);
  EXPECT_EQ(error.domain, ErrorDomain::system);
  EXPECT_THAT(error.context, StartsWith("cannot resolve 'does-not-exist.invalid': "));
  EXPECT_THAT(error.context, HasSubstr("; connection refused by 127.0.0.1:"));
  target.hosts.push_back({"127.0.0.1", server.port()});
  EXPECT_TRUE(open_now(loop_, target).has_value());
}

TEST_F(OpenTest, FamilyAndLocalAddressAreKept) {
  EchoServer server{loop_, {}};
  StreamTarget target = tcp_target(server.port(), "localhost");
  target.connect.local_address = "127.0.0.2";
  ASSERT_TRUE(open_now(loop_, target).has_value());
  ASSERT_TRUE(run_until(loop_, [&] { return server.connections() == 1; }));
  EXPECT_THAT(server.stream(0).peer(), StartsWith("127.0.0.2:"));
  target.connect.family = Family::ipv6;
  EXPECT_THAT(failure(target).context, HasSubstr("no address of the same family"));
  target.connect.family = Family::any;
  target.connect.local_address = "192.0.2.1";
  EXPECT_EQ(failure(target).code, EADDRNOTAVAIL);
  target.connect.local_address = "eth0";
  EXPECT_EQ(failure(target).context, "cannot connect from 'eth0': not an IP address");
}

TEST_F(OpenTest, UnixSocketErrorsNameThePath) {
  const TempDirectory directory;
  StreamTarget target;
  target.unix_path = directory.file("none");
  const Error missing = failure(target);
  EXPECT_EQ(missing.code, ENOENT);
  EXPECT_EQ(missing.context, "cannot connect to " + target.unix_path + ": No such file or directory");
  target.unix_path = "/" + std::string(200, 'x');
  EXPECT_EQ(failure(target).code, ENAMETOOLONG);
}

TEST_F(OpenTest, DestroyedOpeningDoesNotCallBack) {
  ScriptedServer server{loop_, ""};
  int calls = 0;
  const auto count = [&](const auto&) { ++calls; };
  auto opening = std::make_unique<Opening>(loop_, ws_target(server.port()), count);
  opening = std::make_unique<Opening>(loop_, tcp_target(server.port(), "does-not-exist.invalid"), count);
  uv_run(loop_.handle(), UV_RUN_NOWAIT);  // the lookup's thread is on its way, or has failed already
  const int before = calls;
  opening = std::make_unique<Opening>(loop_, ws_target(server.port()), count);
  ASSERT_TRUE(run_until(loop_, [&] { return !server.recorder.data.empty(); }));
  opening.reset();
  ASSERT_TRUE(run_until(loop_, [&] { return server.recorder.over(); }));
  EXPECT_EQ(calls, before);
}

TEST_F(OpenTest, MayBeDestroyedInItsOwnCallback) {
  EchoServer server{loop_, {}};
  const DeafPort deaf;
  for (const std::uint16_t port : {server.port(), deaf.port()}) {
    std::unique_ptr<Opening> opening;
    bool called = false;
    opening = std::make_unique<Opening>(loop_, tcp_target(port), [&](const auto&) {
      called = true;
      opening.reset();
    });
    ASSERT_TRUE(run_until(loop_, [&] { return called; }));
  }
}

TEST_F(OpenTest, SilentTlsServerIsNamedAtTheDeadline) {
  const Authority authority;
  ScriptedServer server{loop_, ""};
  StreamTarget target = tcp_target(server.port());
  target.tls = TlsContext::client(client_options(authority)).value();
  const Error error = failure(soon(target));
  EXPECT_EQ(error.domain, ErrorDomain::timeout);
  EXPECT_EQ(error.context,
            "no TLS handshake from 127.0.0.1:" + std::to_string(server.port()) + " within 400ms");
}

TEST_F(OpenTest, SilentWebSocketServerIsNamedAtTheDeadline) {
  ScriptedServer server{loop_, ""};
  const Error error = failure(soon(ws_target(server.port())));
  EXPECT_EQ(error.domain, ErrorDomain::timeout);
  EXPECT_EQ(error.context,
            "no WebSocket upgrade from 127.0.0.1:" + std::to_string(server.port()) + " within 400ms");
}

/// A listener whose queue is full: the kernel drops what comes next, as a silent host does.
TEST_F(OpenTest, SilentHostIsNamedAtTheDeadline) {
  const TempDirectory directory;
  DeafPort full;
  ASSERT_TRUE(full.listen_with_full_queue());
  const Error error = failure(soon(tcp_target(full.port())));
  EXPECT_EQ(error.domain, ErrorDomain::timeout);
  EXPECT_EQ(error.context, "no answer from 127.0.0.1:" + std::to_string(full.port()) + " within 400ms");
}

TEST_F(OpenTest, DeadlineThatHasPassedIsATimeoutAtOnce) {
  StreamTarget target = tcp_target(1, "does-not-exist.invalid");
  target.connect.deadline = loop_.refresh_now() - 1s;
  const Error error = failure(target);
  EXPECT_EQ(error.domain, ErrorDomain::timeout);
  EXPECT_EQ(error.context, "no address for 'does-not-exist.invalid' within 0s");
}

TEST_F(OpenTest, HttpAnswersToAnUpgrade) {
  const auto answered = [&](std::string text) {
    ScriptedServer server{loop_, std::move(text)};
    return failure(ws_target(server.port()));
  };
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\n\r\n").code, 200);
  EXPECT_THAT(answered("HTTP/1.1 301 Moved\r\nLocation: /ws\r\n\r\n").context, HasSubstr("points to /ws"));
  EXPECT_EQ(answered("HTTP/1.1 404 Not Found\r\n\r\n").context,
            "server answered HTTP 404 Not Found to the WebSocket upgrade of /mqtt");
  EXPECT_EQ(answered("\x20\x02").domain, ErrorDomain::websocket);
  EXPECT_THAT(answered("HTTP/1.1 101 X\r\n" + std::string(100'000, 'x')).context, HasSubstr("too long"));
  EXPECT_THAT(answered("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n").context,
              HasSubstr("no Sec-WebSocket-Accept"));
}

TEST_F(OpenTest, HostHeaderLeavesOutTheUsualPort) {
  ScriptedServer server{loop_, "HTTP/1.1 404 X\r\n\r\n"};
  static_cast<void>(failure(ws_target(server.port())));
  EXPECT_THAT(server.recorder.data,
              HasSubstr("\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\n"));
  EXPECT_THAT(server.recorder.data, StartsWith("GET /mqtt HTTP/1.1\r\n"));
}

TEST_F(OpenTest, ResetDuringAHandshakeIsAnErrorOfThatStep) {
  ScriptedServer server{loop_, ""};
  std::optional<Error> error;
  const Opening opening{loop_, ws_target(server.port()), [&](auto stream) { error = stream.error(); }};
  ASSERT_TRUE(run_until(loop_, [&] { return !server.recorder.data.empty(); }));
  server.stream->reset();
  ASSERT_TRUE(run_until(loop_, [&] { return error.has_value(); }));
  EXPECT_EQ(error->domain, ErrorDomain::websocket);
  EXPECT_THAT(error->context, testing::EndsWith(" during the WebSocket upgrade"));
}

TEST_F(OpenTest, ListenerRefusesWhatItCannotHave) {
  EchoServer server{loop_, {}};
  const auto open = [&](ListenOptions options) {
    const auto listener = Listener::open(loop_, std::move(options), [](auto) {}, [](const Error&) {});
    return listener ? "" : listener.error().context;
  };
  ListenOptions options;
  options.port = server.port();
  EXPECT_EQ(open(options),
            "cannot listen on 127.0.0.1:" + std::to_string(server.port()) + ": Address already in use");
  options.address = "nowhere";
  EXPECT_EQ(open(options), "cannot listen on 'nowhere': not an IP address");
  options = {};
  options.unix_path = "/" + std::string(200, 'x');
  EXPECT_THAT(open(options), testing::EndsWith("File name too long"));
}

TEST_F(OpenTest, ListenerEndsHandshakesAtTheirTimeAndKeepsTheirNumberBounded) {
  ListenOptions options;
  options.ws.emplace();
  options.handshake_timeout = 400ms;
  options.handshakes_max = 1;
  EchoServer server{loop_, options};
  const auto first = open_now(loop_, tcp_target(server.port()));
  const auto second = open_now(loop_, tcp_target(server.port()));
  ASSERT_TRUE(run_until(loop_, [&] { return server.failures().size() == 2; }));
  EXPECT_THAT(server.failures()[0].context, StartsWith("too many handshakes at once: 127.0.0.1:"));
  EXPECT_EQ(server.failures()[1].domain, ErrorDomain::timeout);
  EXPECT_THAT(server.failures()[1].context, testing::EndsWith(" within 400ms"));
}

TEST_F(OpenTest, ListenerMayBeDestroyedInItsOwnCallback) {
  std::unique_ptr<Listener> listener;
  std::unique_ptr<ByteStream> accepted;
  listener = std::move(*Listener::open(
      loop_, {},
      [&](std::unique_ptr<ByteStream> stream) {
        listener.reset();
        accepted = std::move(stream);
      },
      [](const Error&) {}));
  const auto stream = open_now(loop_, tcp_target(listener->port()));
  ASSERT_TRUE(run_until(loop_, [&] { return accepted != nullptr; }));
  EXPECT_EQ(listener, nullptr);
}

}  // namespace
}  // namespace mqtt::net::test
