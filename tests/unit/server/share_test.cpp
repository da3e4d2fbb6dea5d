// One connection's demands against the others'.
#include <support/hex.hpp>
#include <support/packets.hpp>
#include <unit/server/server_test.hpp>

namespace mqtt::server::test {
namespace {

using Sharing = ServerTest;

TEST_F(Sharing, AReaderThatStopsCostsTheOthersNothing) {
  config.broker.limits.queued_messages = 16;
  open();
  const auto stopped = connect("stopped");
  const auto reader = connect("reader");
  subscribe(*stopped, "t");
  subscribe(*reader, "t");
  stopped->stream->pause_reading();
  const auto publisher = connect("publisher");
  const std::string payload(128 * 1024, 'x');
  constexpr std::size_t messages = 200;  // beyond what sockets, backlog and queue hold
  for (std::size_t i = 0; i < messages; ++i) {
    publisher->send(message("t", payload));
    ASSERT_TRUE(wait([&] { return reader->count(PacketType::publish) > i; })) << i;
  }
  EXPECT_GT(server->broker().counters().dropped_for(broker::DropReason::queue_full), 0U);
  EXPECT_FALSE(stopped->over());
}

TEST_F(Sharing, WithStallPublishersWaitForAReaderThatStopsAndNothingIsLost) {
  config.broker.slow_consumer = broker::SlowConsumer::stall;
  config.broker.limits.queued_messages = 16;
  open();
  const auto reader = connect("reader");
  subscribe(*reader, "t");
  reader->stream->pause_reading();
  const auto publisher = connect("publisher");
  const std::string payload(64 * 1024, 'x');
  constexpr std::size_t messages = 512;  // beyond what sockets, backlog and queue hold
  for (std::size_t i = 0; i < messages; ++i) publisher->send(message("t", payload));
  std::uint64_t before = 0;
  ASSERT_TRUE(wait([&] {  // until a millisecond brings nothing more
    const std::uint64_t received = server->broker().counters().bytes_received;
    return received > payload.size() && received == std::exchange(before, received);
  }));
  EXPECT_GT(publisher->unsent(), 0U) << "it is not read from";
  reader->stream->resume_reading();
  EXPECT_TRUE(wait([&] { return reader->count(PacketType::publish) == messages; }));
  EXPECT_EQ(publisher->unsent(), 0U);
}

TEST_F(Sharing, OneThatSendsWithoutEndGetsOneReadPerTurn) {
  events.hears_messages = true;  // what goes past the broker is counted later, and all at once
  open();
  const auto flooder = connect("flooder");
  const auto packet = mqtt::test::encoded(message("t", std::string(1000, 'x')), Version::v5);
  std::vector<std::uint8_t> flood;
  while (flood.size() < 8 * 1024 * 1024) flood.insert(flood.end(), packet.begin(), packet.end());
  flooder->send_bytes(flood);  // the sockets' buffers are full before the server reads
  std::uint64_t before = server->broker().counters().bytes_received, most = 0;
  ASSERT_TRUE(wait([&] {
    const std::uint64_t now = server->broker().counters().bytes_received;
    most = std::max(most, now - std::exchange(before, now));
    return now >= flood.size();
  }));
  EXPECT_LE(most, 2 * net::Loop::read_buffer_bytes + packet.size());  // that a read had cut
  EXPECT_GE(most, net::Loop::read_buffer_bytes / 2) << "and not less than it could have";
}

TEST_F(Sharing, OneThatAsksAndDoesNotReadIsNotReadFromForEver) {
  net::test::TempDirectory directory;
  config.listeners[0].listen.unix_path = directory.file("socket");  // small buffers
  config.broker.limits.write_backlog = 1024;
  open();
  const auto client = connect("asks");
  client->stream->pause_reading();
  std::vector<std::uint8_t> pings;
  while (pings.size() < 1536 * 1024) pings.insert(pings.end(), {0xC0, 0x00});
  client->send_bytes(pings);
  const auto received = [&] { return server->broker().counters().bytes_received; };
  std::uint64_t before = 0;
  ASSERT_TRUE(wait([&] {  // until a millisecond brings nothing more
    return received() > 128 * 1024 && received() == std::exchange(before, received());
  }));
  EXPECT_LT(before, 1024 * 1024U);
  EXPECT_GT(client->unsent(), 0U);
  // Once it reads, it gets all of its answers.
  client->stream->resume_reading();
  EXPECT_TRUE(wait([&] { return client->count(PacketType::pingresp) == pings.size() / 2; }));
}

TEST_F(Sharing, Mqtt_4_6_0_5_EachPublishersOrderIsKept) {
  open();
  constexpr std::size_t count = 1000;
  std::vector<std::unique_ptr<RawClient>> readers, publishers;
  for (const char* id : {"reader 0", "reader 1", "reader 2"}) {
    readers.push_back(connect(id));
    subscribe(*readers.back(), "#");
    readers.back()->frames_kept = 2 + 2 * count;
  }
  for (const char* id : {"0", "1"}) publishers.push_back(connect(id));
  for (std::size_t number = 0; number < count; ++number)
    for (std::size_t i = 0; i < 2; ++i)
      publishers[i]->send(message(i == 0 ? "0" : "1", std::to_string(number)));
  for (const auto& reader : readers) {
    ASSERT_TRUE(wait([&] { return reader->count(PacketType::publish) == 2 * count; }));
    std::array<std::size_t, 2> next{};
    for (const auto& [topic, payload] : reader->messages())
      ASSERT_EQ(payload, std::to_string(next.at(std::stoul(topic))++)) << topic;
  }
}

}  // namespace
}  // namespace mqtt::server::test
