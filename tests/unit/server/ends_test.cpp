// How connections and servers end.
#include <support/hex.hpp>
#include <unit/net/certificates.hpp>
#include <unit/server/server_test.hpp>

namespace mqtt::server::test {
namespace {

class Ends : public ServerTest {
 protected:
  /// A subscriber that has stopped reading and has more to get than the sockets take.
  std::unique_ptr<RawClient> make_stuck_reader() {
    auto reader = connect("stuck");
    const std::size_t before = connections();
    subscribe(*reader, "big");
    reader->stream->pause_reading();
    const auto publisher = connect("publisher");
    const std::string payload(1024 * 1024, 'x');
    for (int i = 0; i < 16; ++i) publisher->send(message("big", payload));
    publisher->send(PingreqView{});
    EXPECT_TRUE(wait([&] { return publisher->count(PacketType::pingresp) == 1; }));
    publisher->send(DisconnectView{});
    EXPECT_TRUE(wait([&] { return publisher->ended; }));
    publisher->stream->close();
    EXPECT_TRUE(wait([&] { return connections() == before; }));
    return reader;
  }
  static ConnectView connect_with_will(std::string_view id) {
    ConnectView connect = connect_packet(id);
    connect.will.emplace();
    connect.will->topic = "will";
    connect.will->payload = as_bytes("gone");
    return connect;
  }
};

TEST_F(Ends, Mqtt_5_Shutdown_TellsClientsThatUnderstandIt) {
  open();
  const auto v5 = connect("five");
  const auto v311 = connect("three", 0, Version::v3_1_1);
  const auto silent = dial();
  ASSERT_TRUE(wait([&] { return connections() == 3; }));
  bool done = false;
  server->shut_down([&] { done = true; });
  ASSERT_TRUE(wait([&] { return v5->ended && v311->ended && silent->ended; }));
  ASSERT_TRUE(v5->find<DisconnectView>());
  EXPECT_EQ(v5->find<DisconnectView>()->reason, ReasonCode::server_shutting_down);
  EXPECT_EQ(v311->count(PacketType::disconnect), 0U);
  EXPECT_FALSE(done) << "the clients have not closed";
  for (const auto* client : {&v5, &v311, &silent}) (*client)->stream->close();
  loop.run();  // ends, as nothing is left to wait for
  EXPECT_TRUE(done);
  EXPECT_EQ(connections(), 0U);
}

TEST_F(Ends, AfterDisconnectTheConnectionIsClosedAtOnce_AndNothingIsLost) {
  config.linger_timeout = 1h;
  open();
  const auto client = connect("client");
  subscribe(*client, "t");
  client->stream->pause_reading();
  for (int i = 0; i < 4; ++i) client->send(message("t", std::string(1000, 'x')));
  client->send(DisconnectView{});
  ASSERT_TRUE(wait([&] { return connections() == 0; })) << "it waits for the client to close first";
  client->stream->resume_reading();
  ASSERT_TRUE(wait([&] { return client->over(); }));
  EXPECT_FALSE(client->error) << client->error->context;
  EXPECT_EQ(client->count(PacketType::publish), 4U);
}

TEST_F(Ends, BytesBehindDisconnectDoNotMakeTheEndAReset) {
  config.linger_timeout = 1h;
  open();
  const auto client = connect("client");
  subscribe(*client, "t");
  client->stream->pause_reading();
  client->send(message("t", "the last"));
  client->send(DisconnectView{});
  client->send_bytes(as_bytes(std::string(2 * net::Loop::read_buffer_bytes, 'x')));
  ASSERT_TRUE(wait([&] { return events.disconnected == 1 && client->unsent() == 0; }));
  client->stream->resume_reading();
  ASSERT_TRUE(wait([&] { return client->over(); }));
  EXPECT_FALSE(client->error) << client->error->context;
  EXPECT_EQ(client->count(PacketType::publish), 1U);
}

TEST_F(Ends, ShutdownDoesNotWaitLongForClientsThatKeepTheirEndOpen) {
  config.linger_timeout = 20ms;
  open();
  const auto client = connect("stays");
  bool done = false;
  server->shut_down([&] { done = true; });
  EXPECT_TRUE(wait([&] { return done; }));
}

TEST_F(Ends, ShutdownDoesNotWaitLongForClientsThatDoNotRead) {
  config.drain_timeout = 50ms;
  open();
  const auto reader = make_stuck_reader();
  bool done = false;
  server->shut_down([&] { done = true; });
  EXPECT_TRUE(wait([&] { return done; }));
}

TEST_F(Ends, ASecondShutdownDoesNotWaitAtAll) {
  config.drain_timeout = config.linger_timeout = 1h;
  open();
  const auto stays = connect("stays");
  const auto reader = make_stuck_reader();
  int done = 0;
  server->shut_down([&] { done += 1; });
  ASSERT_TRUE(wait([&] { return stays->ended; }));
  EXPECT_EQ(done, 0);
  server->shut_down([&] { done += 10; });
  EXPECT_EQ(done, 0) << "never from inside the call";
  EXPECT_TRUE(wait([&] { return done != 0; }));
  EXPECT_EQ(done, 10);
}

TEST_F(Ends, ShutdownStopsListening) {
  open();
  const net::StreamTarget there = target();
  bool done = false;
  server->shut_down([&] { done = true; });
  ASSERT_TRUE(wait([&] { return done; }));
  EXPECT_FALSE(net::test::open_now(loop, there));
}

TEST_F(Ends, TheServerCanBeDestroyedByWhoHearsOfItsShutdown) {
  open();
  const auto client = connect("client");
  server->shut_down([&] { destroy_server(); });
  client->stream->close();
  loop.run();
  EXPECT_FALSE(server);
}

TEST_F(Ends, TheServerCanBeDestroyedWhateverItsConnectionsAreDoing) {
  net::test::Authority authority;
  config.listeners.push_back(config.listeners[0]);
  config.listeners[1].listen.tls = *net::TlsContext::server(net::test::server_options(authority.issue()));
  open();
  const auto stuck = make_stuck_reader();
  const auto silent = dial();
  const auto closing = connect("closing");
  closing->send(DisconnectView{});
  ASSERT_TRUE(wait([&] { return closing->ended; }));  // lingers now
  net::StreamTarget plain = target(1);
  plain.tls = nullptr;
  const auto handshaking = net::test::open_now(loop, plain);
  const auto busy = connect("busy");
  busy->send(message("t", "x", QoS::at_least_once));
  uv_run(loop.handle(), UV_RUN_ONCE);
  destroy_server();
  loop.run();
  EXPECT_FALSE(stuck->over());  // it was not reading
}

TEST_F(Ends, Mqtt_3_1_2_8_WhoEndsTheirSideWithoutDisconnectIsGoneAndLeavesTheWill) {
  open();
  const auto watcher = connect("watcher");
  subscribe(*watcher, "will");
  const auto client = dial();
  client->send(connect_with_will("half"));
  client->stream->shutdown();
  ASSERT_TRUE(wait([&] { return watcher->count(PacketType::publish) == 1; }));
  ASSERT_TRUE(wait([&] { return client->ended; }));
  EXPECT_EQ(client->count(PacketType::connack), 1U) << "what it asked for before is still answered";
}

TEST_F(Ends, Mqtt_3_1_2_8_ABrokenConnectionLeavesTheWill) {
  open();
  const auto watcher = connect("watcher");
  subscribe(*watcher, "will");
  const auto client = dial();
  client->send(connect_with_will("reset"));
  ASSERT_TRUE(wait([&] { return client->count(PacketType::connack) == 1; }));
  client->stream->reset();
  EXPECT_TRUE(wait([&] { return watcher->count(PacketType::publish) == 1; }));
  EXPECT_TRUE(wait([&] { return connections() == 1; }));
}

TEST_F(Ends, Mqtt_3_14_4_3_ADisconnectRightBeforeTheEndTakesTheWillBack) {
  open();
  const auto watcher = connect("watcher");
  subscribe(*watcher, "will");
  const auto client = dial();
  client->send(connect_with_will("polite"));
  ASSERT_TRUE(wait([&] { return client->count(PacketType::connack) == 1; }));
  client->send(DisconnectView{});
  client->stream->close();
  ASSERT_TRUE(wait([&] { return connections() == 1; }));
  watcher->send(PingreqView{});
  ASSERT_TRUE(wait([&] { return watcher->count(PacketType::pingresp) == 1; }));
  EXPECT_EQ(watcher->count(PacketType::publish), 0U);
}

TEST_F(Ends, TheReasonReachesAClientThatWasStillSending) {
  open();
  const auto client = connect("babbler");
  std::vector<std::uint8_t> babble = mqtt::test::unhex("f7 00");  // reserved bits of AUTH
  babble.resize(4 * 1024 * 1024);
  client->send_bytes(babble);
  ASSERT_TRUE(wait([&] { return client->over(); }));
  ASSERT_TRUE(client->find<DisconnectView>());
  EXPECT_EQ(client->find<DisconnectView>()->reason, ReasonCode::malformed_packet);
  EXPECT_TRUE(client->ended) << "an orderly end, not a reset";
}

TEST_F(Ends, AClosedConnectionThatTheClientKeepsOpenIsDroppedAfterAWhile) {
  config.linger_timeout = 20ms;
  open();
  const auto client = connect("clinging");
  client->send(DisconnectView{});
  EXPECT_TRUE(wait([&] { return connections() == 0; }));
  EXPECT_FALSE(client->error) << "it was an orderly end";
}

TEST_F(Ends, WhoSaysNothingIsClosedAtTheDeadlineForConnect) {
  config.broker.limits.connect_timeout = 20ms;
  open();
  const auto client = dial();
  EXPECT_TRUE(wait([&] { return client->ended; }));
  client->stream->close();
  EXPECT_TRUE(wait([&] { return connections() == 0; }));
}

TEST_F(Ends, ASilentClientsWillIsDueThoughItDoesNotTakeItsLastPackets) {
  config.drain_timeout = 1h;
  open();
  const auto watcher = connect("watcher");
  subscribe(*watcher, "will");
  auto stuck = dial();
  stuck->send(connect_with_will("stuck"));
  ASSERT_TRUE(wait([&] { return stuck->count(PacketType::connack) == 1; }));
  subscribe(*stuck, "big");
  stuck->stream->pause_reading();
  const std::string payload(1024 * 1024, 'x');
  for (int i = 0; i < 16; ++i) watcher->send(message("big", payload));
  watcher->send(PingreqView{});
  ASSERT_TRUE(wait([&] { return watcher->count(PacketType::pingresp) == 1; }));
  server->broker().disconnect(loop.now(), "stuck", ReasonCode::administrative_action);
  EXPECT_TRUE(wait([&] { return watcher->count(PacketType::publish) == 1; }));
  EXPECT_EQ(connections(), 2U) << "its last packets still wait";
}

}  // namespace
}  // namespace mqtt::server::test
