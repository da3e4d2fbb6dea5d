// Messages that go past the broker: what their clients see.
#include <support/packets.hpp>
#include <unit/server/server_test.hpp>

namespace mqtt::server::test {
namespace {

struct PastBroker : ServerTest {
  PastBroker() { config.threads = 3; }

  [[nodiscard]] std::uint64_t routed() const { return server->broker().counters().messages_routed; }
  /// Messages to "t", with their numbers as payload, in one piece.
  static void send_numbered(RawClient& client, int from, int to, Version version = Version::v5) {
    std::vector<std::uint8_t> bytes;
    for (int i = from; i < to; ++i) {
      const auto packet = mqtt::test::encoded(message("t", std::to_string(i)), version);
      bytes.insert(bytes.end(), packet.begin(), packet.end());
    }
    client.send_bytes(bytes);
  }
  /// What has come to "t": all numbers, in order.
  static void expect_numbers(const RawClient& client, int count) {
    const auto messages = client.messages();
    ASSERT_EQ(messages.size(), static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
      ASSERT_EQ(messages[static_cast<std::size_t>(i)].second, std::to_string(i));
  }
};

TEST_F(PastBroker, MessagesOfAllVersionsArriveInOrder) {
  open();
  std::vector<std::unique_ptr<RawClient>> readers;
  for (int i = 0; i < 6; ++i) {
    readers.push_back(connect("r" + std::to_string(i), 0, i % 2 == 0 ? Version::v5 : Version::v3_1_1));
    readers.back()->frames_kept = 100'000;
    subscribe(*readers.back(), "t");
  }
  for (const Version version : {Version::v5, Version::v3_1_1}) {
    const auto publisher = connect("p", 0, version);
    const std::uint64_t before = routed();
    constexpr int count = 5000;
    for (int sent = 0; sent < count; sent += 100) send_numbered(*publisher, sent, sent + 100, version);
    for (const auto& reader : readers) {
      ASSERT_TRUE(wait([&] { return reader->messages().size() >= count; }));
      ASSERT_NO_FATAL_FAILURE(expect_numbers(*reader, count));
      reader->frames.clear();
    }
    EXPECT_TRUE(wait([&] { return routed() > before; }));
  }
}

TEST_F(PastBroker, WhatWentPastItIsCountedWhenTheClientHasLeft) {
  open();
  constexpr int count = 1000;
  for (int round = 1; round <= 5; ++round) {
    const auto publisher = connect("p");
    send_numbered(*publisher, 0, count);
    publisher->send(DisconnectView{});
    ASSERT_TRUE(wait([&] { return publisher->over() && connections() == 0; }));
    EXPECT_EQ(server->broker().counters().messages_received, static_cast<std::uint64_t>(count * round));
  }
  EXPECT_GT(routed(), 0u);
}

/// Each publisher has routes of its own: that bounds what they take.
TEST_F(PastBroker, AMessageForManyIsTheBrokers) {
  constexpr int route_receivers_max = 256, count = 100;
  open();
  std::vector<std::unique_ptr<RawClient>> readers;
  for (int i = 0; i <= route_receivers_max; ++i) {
    readers.push_back(connect("r" + std::to_string(i)));
    readers.back()->frames_kept = 2 * count + 3;
    subscribe(*readers.back(), "t");
  }
  const auto publish = [&] {
    const auto publisher = connect("p");
    send_numbered(*publisher, 0, count);
    publisher->send(DisconnectView{});
    ASSERT_TRUE(wait([&] { return publisher->over() && connections() == readers.size(); }));
  };
  publish();
  EXPECT_EQ(routed(), 0u);
  readers.pop_back();
  ASSERT_TRUE(wait([&] { return connections() == readers.size(); }));
  publish();
  EXPECT_GT(routed(), 0u);
  for (const auto& reader : readers)
    ASSERT_TRUE(wait([&] { return reader->messages().size() == 2 * count; }));
}

/// What it has sent waits at home, in front of what asks for a route, while it is not read from.
TEST_F(PastBroker, OrderHoldsWhenThePublisherHadToWait) {
  config.threads = 2;
  config.broker.limits.in_flight = 2;
  config.broker.limits.queued_bytes = 3000;
  open();
  const auto reader = connect("reader");
  subscribe(*reader, "t");
  for (int round = 0; round < 20; ++round) {
    const auto slow = connect("slow");
    subscribe(*slow, "slow", QoS::at_least_once);
    const auto publisher = connect("p");
    for (PacketId id = 1; id <= 4; ++id) {
      const std::string payload(2000, 'x');
      PublishView large = message("slow", payload, QoS::at_least_once);
      large.packet_id = id;
      publisher->send(large);
    }
    ASSERT_TRUE(wait([&] { return slow->count(PacketType::publish) == 2; }));
    ASSERT_TRUE(wait([&] { return server->broker().counters().queued_messages == 2; }));
    send_numbered(*publisher, 0, 40);
    for (PacketId id = 1; id <= 2; ++id) {
      PubackView puback;
      puback.packet_id = id;
      slow->send(puback);
    }
    ASSERT_TRUE(wait([&] { return reader->messages().size() >= 40; }));
    ASSERT_NO_FATAL_FAILURE(expect_numbers(*reader, 40)) << round;
    reader->frames.clear();
  }
  EXPECT_TRUE(wait([&] { return routed() > 0; }));
}

}  // namespace
}  // namespace mqtt::server::test
