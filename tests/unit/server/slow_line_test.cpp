// Clients that take what they are sent slowly, or not at all.
#include <support/packets.hpp>
#include <unit/server/server_test.hpp>

namespace mqtt::server::test {
namespace {

constexpr std::size_t mebibyte = 1024 * 1024;

class SlowLine : public ServerTest {
 protected:
  /// A client that does not read, and one message for it that is more than sockets and backlog take. The
  /// message is there before the client, whose Keep Alive would run while it comes.
  std::unique_ptr<RawClient> make_busy_reader(std::uint16_t keep_alive = 0) {
    const auto publisher = connect("publisher");
    const std::string much(15 * mebibyte, 'x');
    PublishView big = message("big", much);
    big.retain = true;
    publisher->send(big);
    publisher->send(PingreqView{});
    EXPECT_TRUE(wait([&] { return publisher->count(PacketType::pingresp) == 1; }));
    auto reader = dial();
    ConnectView connect_view = connect_packet("busy");
    connect_view.keep_alive = keep_alive;
    reader->send(connect_view);
    EXPECT_TRUE(wait([&] { return reader->count(PacketType::connack) == 1; }));
    reader->stream->pause_reading();
    SubscriptionList list;
    list.add("big", {});
    reader->send(SubscribeView{1, {}, list.view()});
    const std::size_t before = server->broker().counters().messages_sent;
    EXPECT_TRUE(wait([&] { return server->broker().counters().messages_sent > before; }));
    return reader;
  }
  /// So many that their answers are more than is kept for a client.
  static void send_pings(RawClient& client) {
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i < pings; ++i) bytes.insert(bytes.end(), {0xC0, 0x00});
    client.send_bytes(bytes);
  }
  [[nodiscard]] bool wait_for_quiet() {
    std::uint64_t before = 0;
    return wait([&] {  // until a millisecond brings nothing more
      const std::uint64_t received = server->broker().counters().bytes_received;
      return received == std::exchange(before, received);
    });
  }

  static constexpr std::size_t pings = 400'000;
};

TEST_F(SlowLine, ALargeMessageOnItsWayDoesNotKeepTheServerFromReading) {
  open();
  const auto watcher = connect("watcher");
  subscribe(*watcher, "alive");
  const auto reader = make_busy_reader();
  reader->send(message("alive", "still"));
  EXPECT_TRUE(wait([&] { return watcher->count(PacketType::publish) == 1; }));
}

TEST_F(SlowLine, TheKeepAliveDoesNotRunWhileTheServerDoesNotRead) {
  open();
  constexpr std::uint16_t keep_alive = 3;  // long enough for a busy machine to read on
  const auto reader = make_busy_reader(keep_alive);
  const std::uint64_t before = server->broker().counters().bytes_received;
  send_pings(*reader);
  ASSERT_TRUE(wait_for_quiet());
  ASSERT_LT(server->broker().counters().bytes_received - before, 2 * pings) << "it is not read from";
  const TimePoint later = loop.now() + 1s * keep_alive * 3 / 2 + 200ms;
  ASSERT_TRUE(wait([&] { return loop.now() > later; }));
  EXPECT_EQ(connections(), 1U);
  reader->stream->resume_reading();
  EXPECT_TRUE(wait([&] { return reader->count(PacketType::pingresp) == pings; }));
  EXPECT_FALSE(reader->over());
  EXPECT_TRUE(wait([&] { return reader->over(); })) << "it says nothing more: the Keep Alive runs again";
}

TEST_F(SlowLine, WhoIsNotReadFromAndTakesNothingIsGivenUp) {
  config.stall_timeout = 50ms;
  open();
  const auto reader = make_busy_reader();
  send_pings(*reader);
  EXPECT_TRUE(wait([&] { return connections() == 0; }));
}

TEST_F(SlowLine, AClientMaySendMuchToItselfBeforeItReads) {
  open();
  const auto client = connect("echo");
  subscribe(*client, "echo");
  client->stream->pause_reading();
  constexpr std::size_t messages = 8;
  for (std::size_t i = 0; i < messages; ++i) client->send(message("echo", std::string(4 * mebibyte, 'x')));
  const auto& counters = server->broker().counters();
  ASSERT_TRUE(wait([&] { return counters.bytes_received > messages * 4 * mebibyte; }));
  EXPECT_EQ(client->unsent(), 0U);
  const std::size_t dropped = counters.dropped_for(broker::DropReason::queue_full);
  EXPECT_GT(dropped, 0U) << "the queue has its bounds";
  client->stream->resume_reading();
  EXPECT_TRUE(wait([&] { return client->count(PacketType::publish) == messages - dropped; }));
}

TEST_F(SlowLine, ARetainedMessageBehindManyThatDoNotMatchComesWithoutAWordFromTheClient) {
  open();
  const auto publisher = connect("publisher");
  for (int i = 0; i < 50'000; ++i) {
    const std::string topic = "a/" + std::to_string(i);
    PublishView publish = message(topic, "x");
    publish.retain = true;
    publisher->send(publish);
  }
  PublishView last = message("a/last/x", "x");
  last.retain = true;
  publisher->send(last);
  publisher->send(PingreqView{});
  ASSERT_TRUE(wait([&] { return publisher->count(PacketType::pingresp) == 1; }));
  const auto client = connect("client");
  subscribe(*client, "+/+/x");
  EXPECT_TRUE(wait([&] { return client->count(PacketType::publish) == 1; }));
}

}  // namespace
}  // namespace mqtt::server::test
