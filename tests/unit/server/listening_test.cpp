#include <sys/resource.h>
#include <unit/server/server_test.hpp>

namespace mqtt::server::test {
namespace {

class Listening : public ServerTest {
 protected:
  /// Whether a connection is ended by a reset: the client hears of it at once.
  bool is_turned_away(std::size_t url = 0) {
    auto stream = net::test::open_now(loop, target(url));
    if (!stream) return stream.error().code == ECONNRESET;
    const RawClient client{std::move(*stream)};
    return wait([&] { return client.over(); }) && client.error && client.error->code == ECONNRESET;
  }
};

Result<std::unique_ptr<net::Listener>> listen_on_ipv6_loopback(net::Loop& loop) {
  net::ListenOptions options;
  options.address = "::1";
  return net::Listener::open(loop, options, [](auto) {}, [](const Error&) {});
}

TEST_F(Listening, WithoutAddressesBothLoopbackFamiliesGetTheSamePort) {
  config.listeners[0].addresses.clear();
  open();
  const auto first = parse_endpoint(server->urls().at(0));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->host, "127.0.0.1");
  EXPECT_NE(first->port, 0);
  EXPECT_TRUE(connect("a", 0));
  if (!listen_on_ipv6_loopback(loop)) {
    EXPECT_EQ(server->urls().size(), 1U);
    return;
  }
  const auto second = parse_endpoint(server->urls().at(1));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->host, "::1");
  EXPECT_EQ(second->port, first->port);
  EXPECT_TRUE(connect("b", 1));
}

TEST_F(Listening, APortThatOneFamilyHasLostIsAnErrorForTheDefaultPairToo) {
  const auto taken = listen_on_ipv6_loopback(loop);
  if (!taken) GTEST_SKIP() << "this machine has no ::1";
  config.listeners[0].addresses.clear();
  config.listeners[0].listen.port = (*taken)->port();
  const auto opened = Server::open(loop, config, services(), events, 1);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EADDRINUSE);
}

TEST_F(Listening, AnAddressThatIsNotHereIsAnErrorIfItWasNamed) {
  config.listeners[0].addresses = {"127.0.0.1", "192.0.2.1"};  // RFC 5737: nobody's
  const auto opened = Server::open(loop, config, services(), events, 1);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EADDRNOTAVAIL);
  EXPECT_NE(opened.error().context.find("192.0.2.1"), std::string::npos) << opened.error().context;
}

TEST_F(Listening, SeveralListenersHaveTheirOwnNames) {
  config.listeners.push_back(config.listeners[0]);
  config.listeners[1].name = "other";
  open();
  ASSERT_EQ(server->urls().size(), 2U);
  const auto a = connect("a", 0);
  const auto b = connect("b", 1);
  EXPECT_EQ(doorkeeper.infos.at(0).listener, "main");
  EXPECT_EQ(doorkeeper.infos.at(1).listener, "other");
}

TEST_F(Listening, ConnectionsAboveTheMaximumAreTurnedAwayUntilThereIsRoom) {
  config.connections_max = 1;
  open();
  EXPECT_EQ(server->connections_max(), 1U);
  const auto first = connect("first");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(is_turned_away());
  EXPECT_EQ(server->counters().surplus, 3U);
  EXPECT_EQ(events.turned_away_count, 3U);
  EXPECT_TRUE(events.turned_away.at(0).starts_with("main: too many connections: 127.0.0.1:"));
  first->stream->close();
  ASSERT_TRUE(wait([&] { return connections() == 0; }));
  EXPECT_TRUE(connect("next"));
}

TEST_F(Listening, AListenerCanHaveAMaximumOfItsOwn) {
  config.listeners.push_back(config.listeners[0]);
  config.listeners[0].connections_max = 1;
  open();
  const auto first = connect("first", 0);
  EXPECT_TRUE(is_turned_away(0));
  EXPECT_TRUE(connect("other", 1));
}

TEST_F(Listening, UnlessSaidOtherwiseTheDescriptorsAreTheMaximum) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 512;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &small), 0);
  open();
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_GE(server->connections_max(), 256U);
  EXPECT_LT(server->connections_max(), 512U);
}

}  // namespace
}  // namespace mqtt::server::test
