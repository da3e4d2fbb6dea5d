#include <mqtt/server/lane.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <limits>
#include <random>

#include <mqtt/server/lanes.hpp>
#include <mqtt/util/chunk.hpp>

#include "support/hex.hpp"
#include "support/packets.hpp"
#include "unit/net/net_test.hpp"

namespace mqtt::server::test {
namespace {

using mqtt::test::encoded;
using mqtt::test::unhex;
using net::test::run_ready;
using namespace std::chrono_literals;

constexpr auto v4 = Version::v3_1_1;
constexpr auto v5 = Version::v5;

/// Larger packets go home.
constexpr std::size_t largest = OutBuffer::reference_from_bytes;

std::string text_of(const std::vector<std::uint8_t>& bytes) { return std::string{as_text(bytes)}; }

std::string publish(std::string_view topic, std::string_view payload, Version version = v4) {
  PublishView packet;
  packet.topic = topic;
  packet.payload = as_bytes(payload);
  return text_of(encoded(packet, version));
}

/// So many messages, each with its number as payload.
std::string numbered(std::size_t count, std::size_t from = 0, std::string_view topic = "t") {
  std::string bytes;
  for (std::size_t i = from; i < from + count; ++i) bytes += publish(topic, std::to_string(i));
  return bytes;
}

std::string packet(std::string_view hex) { return text_of(unhex(hex)); }

/// So many of two kilobytes each.
std::string large_messages(std::size_t count) {
  std::string bytes;
  for (; count > 0; --count) bytes += publish("t", std::string(2000, 'x'));
  return bytes;
}

const std::string subscribe_packet = packet("82 06 00 01 00 01 'a' 00");
const std::string pingreq_packet = packet("c0 00");

/// A stream's end as a lane sees it, with as much room as the test wants.
class FakeEnd final : public net::CarriedEnd {
 public:
  struct Said {
    LaneWord word;
    std::string bytes;
    std::size_t behind;  // bytes that were sent home before
  };

  void send_home(Bytes bytes) override {
    home += as_text(bytes);
    if (all) *all += as_text(bytes);
  }
  void tell_home(std::uint32_t word, Bytes bytes) override {
    said.push_back({static_cast<LaneWord>(word), std::string{as_text(bytes)}, home.size()});
  }
  void append(Bytes bytes, net::Origin origin) override {
    const bool at_once = origin == net::Origin::home && output.empty();
    output += as_text(bytes);
    if (at_once) flush();
    if (all && origin == net::Origin::shortcut) *all += as_text(bytes);
  }
  void flush() override {
    const std::size_t size = std::min(room, output.size());
    written += output.substr(0, size);
    output.erase(0, size);
    room -= size;
  }
  std::size_t waiting() const override { return output.size(); }
  void hold_reading() override { held = true; }
  void let_read() override { held = false; }

  [[nodiscard]] std::size_t count(LaneWord word) const {
    return static_cast<std::size_t>(std::ranges::count(said, word, &Said::word));
  }

  std::string home;
  std::vector<Said> said;
  std::string output, written;
  std::size_t room = std::numeric_limits<std::size_t>::max();
  bool held = false;
  std::string* all = nullptr;  // where what goes home and what is inserted comes together
};

struct LaneClient {
  explicit LaneClient(Lanes& lanes) : lane{lanes.make_lane()} { shortcut().begin(end); }

  [[nodiscard]] net::Shortcut& shortcut() const { return *lane; }
  void read(std::string_view bytes) const {
    const std::vector<std::uint8_t> exact(bytes.begin(), bytes.end());
    shortcut().on_read(exact);
  }
  void write(std::string_view bytes) const { shortcut().on_from_home(as_bytes(bytes)); }

  FakeEnd end;
  std::unique_ptr<Lane> lane;
};

/// The lanes of two threads that have stopped: their loops turn when the test says so.
class LaneTest : public testing::Test {
 protected:
  LaneTest() {
    for (int i = 0; i < 2; ++i) {
      threads.push_back(std::move(*net::LoopThread::start(home)));
      threads.back()->stop();
      lanes.push_back(std::make_unique<Lanes>(*threads.back()));
    }
    Lanes::connect(lanes);
  }

  LaneClient& add_client(std::size_t thread = 0) { return clients.emplace_back(*lanes[thread]); }
  void turn(std::size_t thread = 0) { run_ready(threads[thread]->loop()); }

  LaneRoutePtr route(LaneClient& publisher, const std::vector<std::pair<LaneClient*, Version>>& receivers,
                     Version version = v4, std::uint32_t packet_size = packet_size_max) {
    auto made = std::make_shared<LaneRoute>(
        broker::Route{std::make_shared<std::atomic<bool>>(true), version, packet_size, {}});
    for (const auto& [receiver, its_version] : receivers)
      made->add(*publisher.lane, *receiver->lane, its_version);
    return made;
  }
  /// Fifteen messages to `topic` have gone home, and the next one by this route.
  void begin_routing(LaneClient& publisher, const LaneRoutePtr& by, std::string_view topic = "t") {
    const std::string message = publish(topic, "first", by->version);
    for (int i = 0; i < 16; ++i) publisher.read(message);
    ASSERT_TRUE(publisher.end.held);
    publisher.lane->on_answer(by);
    ASSERT_FALSE(publisher.end.held);
    publisher.end.home.clear();
    publisher.end.said.clear();
  }
  static LaneReport report_of(const FakeEnd::Said& said) {
    LaneReport report;
    EXPECT_EQ(said.word, LaneWord::report);
    EXPECT_EQ(said.bytes.size(), sizeof report);
    std::memcpy(&report, said.bytes.data(), sizeof report);
    return report;
  }

  net::Loop home;
  std::vector<std::unique_ptr<net::LoopThread>> threads;
  std::vector<std::unique_ptr<Lanes>> lanes;
  std::deque<LaneClient> clients;
};

TEST_F(LaneTest, AsksAtTheSixteenthMessage) {
  LaneClient& client = add_client();
  client.read(numbered(15));
  EXPECT_TRUE(client.end.said.empty());
  EXPECT_EQ(client.end.home, numbered(15));
  client.read(publish("t", "more"));
  ASSERT_EQ(client.end.said.size(), 1u);
  EXPECT_EQ(client.end.said[0].word, LaneWord::ask);
  EXPECT_EQ(client.end.said[0].bytes, "t");
  EXPECT_EQ(client.end.home, numbered(15));
  EXPECT_TRUE(client.end.held);
}

TEST_F(LaneTest, AsksOnceWhenAllComesInOnePiece) {
  LaneClient& client = add_client();
  client.read(numbered(40));
  EXPECT_EQ(client.end.said.size(), 1u);
  EXPECT_EQ(client.end.home, numbered(15));
}

TEST_F(LaneTest, OtherPacketsBetweenAreNoMatter) {
  LaneClient& client = add_client();
  const std::string others = subscribe_packet + pingreq_packet + packet("40 02 00 01");
  client.read(numbered(8) + others + numbered(7, 8));
  EXPECT_EQ(client.end.home, numbered(8) + others + numbered(7, 8));
  EXPECT_TRUE(client.end.said.empty());
  client.read(numbered(1, 15));
  EXPECT_EQ(client.end.said.size(), 1u);
}

/// Most reads of a fast client cut a message.
TEST_F(LaneTest, CutMessagesAreNoMatter) {
  LaneClient& client = add_client();
  std::string messages;
  for (int i = 0; i < 40; ++i) messages += publish("t", std::string(3000, 'x'));
  for (std::size_t at = 0; at < messages.size(); at += 64 * 1024) client.read(messages.substr(at, 64 * 1024));
  EXPECT_EQ(client.end.count(LaneWord::ask), 1u);
}

TEST_F(LaneTest, HoldsWhatComesUntilTheAnswerAndThenDeliversInOrder) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  publisher.read(numbered(20));
  publisher.read(numbered(5, 20) + "\x30");  // and a part of one
  EXPECT_EQ(publisher.end.home, numbered(15));
  publisher.lane->on_answer(route(publisher, {{&receiver, v4}}));
  EXPECT_FALSE(publisher.end.held);
  publisher.read(numbered(1, 25).substr(1));
  turn();
  EXPECT_EQ(receiver.end.written, numbered(11, 15));
  EXPECT_EQ(publisher.end.home, numbered(15));
}

TEST_F(LaneTest, WithoutARouteAllGoesHomeAndItAsksAfterTwiceAsMany) {
  LaneClient& client = add_client();
  std::size_t sent = 16;
  client.read(numbered(sent));
  for (const std::size_t next : {2u, 4u, 8u, 16u, 32u}) {
    client.lane->on_answer(nullptr);
    EXPECT_FALSE(client.end.held);
    EXPECT_EQ(client.end.home, numbered(sent));
    const std::size_t asked = client.end.said.size();
    client.read(numbered(next - 2, sent));  // the one that asked counts
    sent += next - 2;
    EXPECT_EQ(client.end.said.size(), asked) << next;
    EXPECT_EQ(client.end.home, numbered(sent));
    client.read(numbered(1, sent++));
    EXPECT_EQ(client.end.said.size(), asked + 1) << next;
  }
}

TEST_F(LaneTest, AsksAgainWhenARouteHasEnded) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  const LaneRoutePtr first = route(publisher, {{&receiver, v4}});
  begin_routing(publisher, first);
  publisher.read(publish("t", "routed"));
  first->valid->store(false);
  publisher.read(publish("t", "later"));
  ASSERT_EQ(publisher.end.said.size(), 1u);
  EXPECT_EQ(publisher.end.said[0].word, LaneWord::ask);
  EXPECT_TRUE(publisher.end.held);
  publisher.lane->on_answer(route(publisher, {{&receiver, v4}}));
  turn();
  EXPECT_EQ(receiver.end.written, publish("t", "first") + publish("t", "routed") + publish("t", "later"));
  EXPECT_EQ(publisher.end.home, "");
}

TEST_F(LaneTest, AsksForEachTopicUpToSixteen) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  for (int i = 2; i <= 16; ++i) {
    const std::string topic = "topic " + std::to_string(i);
    publisher.read(publish(topic, "x"));
    ASSERT_EQ(publisher.end.said.size(), 1u);
    EXPECT_EQ(publisher.end.said[0].bytes, topic);
    publisher.lane->on_answer(route(publisher, {{&receiver, v4}}));
    publisher.end.said.clear();
  }
  EXPECT_EQ(publisher.end.home, "");
  receiver.end.written.clear();
  publisher.read(publish("one too many", "x") + publish("t", "after it"));
  turn();
  EXPECT_TRUE(publisher.end.said.empty());
  EXPECT_EQ(publisher.end.home, publish("one too many", "x"));
  EXPECT_TRUE(receiver.end.written.ends_with(publish("t", "after it")));
}

TEST_F(LaneTest, WhatHasToKeepItsPlaceEndsRouting) {
  for (const char* const kept :
       {"32 06 00 01 't' 00 01 'x'", "31 03 00 01 't'", "41 02 00 01", "82 06 00 01 00 01 'a' 00",
        "a2 05 00 01 00 01 'a'", "e0 00", "f0 00", "30 00"}) {
    LaneClient& publisher = add_client();
    LaneClient& receiver = add_client();
    begin_routing(publisher, route(publisher, {{&receiver, v4}}));
    const std::string bytes = packet(kept);
    publisher.read(publish("t", "before") + bytes + publish("t", "after"));
    turn();
    EXPECT_EQ(publisher.end.home, bytes + publish("t", "after")) << kept;
    EXPECT_EQ(receiver.end.written, publish("t", "first") + publish("t", "before")) << kept;
  }
}

TEST_F(LaneTest, AnswersAndPingreqGoHomeWhileItRoutes) {
  for (const char* const sign : {"c0 00", "40 02 00 01", "50 02 00 01", "62 02 00 01", "70 02 00 01"}) {
    LaneClient& publisher = add_client();
    LaneClient& receiver = add_client();
    begin_routing(publisher, route(publisher, {{&receiver, v4}}));
    publisher.read(publish("t", "before") + packet(sign) + publish("t", "after"));
    turn();
    EXPECT_EQ(publisher.end.home, packet(sign)) << sign;
    EXPECT_EQ(receiver.end.written, publish("t", "first") + publish("t", "before") + publish("t", "after"))
        << sign;
  }
}

TEST_F(LaneTest, WhatIsOfAnotherTopicEndsNothing) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  const std::string other = packet("32 06 00 01 'u' 00 01 'x'") + packet("31 03 00 01 'u'");
  publisher.read(publish("t", "before") + other + publish("t", "after"));
  turn();
  EXPECT_EQ(publisher.end.home, other);
  EXPECT_EQ(receiver.end.written, publish("t", "first") + publish("t", "before") + publish("t", "after"));
}

TEST_F(LaneTest, MessagesWithPropertiesGoHome) {
  // Payload Format Indicator; no list of properties at all.
  for (const char* const other : {"30 07 00 01 't' 02 01 01 'p'", "30 03 00 01 't'"}) {
    LaneClient& publisher = add_client();
    LaneClient& receiver = add_client();
    begin_routing(publisher, route(publisher, {{&receiver, v5}}, v5));
    publisher.read(packet(other) + publish("t", "after", v5));
    EXPECT_EQ(publisher.end.home, packet(other) + publish("t", "after", v5)) << other;
    turn();
    EXPECT_EQ(receiver.end.written, publish("t", "first", v5));
  }
}

/// A client may have many topics, and each of them somebody who is away.
TEST_F(LaneTest, ManyTopicsWithoutARouteAreAskedForNowAndThen) {
  LaneClient& client = add_client();
  std::string sent;
  for (int i = 0; i < 1000; ++i) {
    const std::string message = publish("topic " + std::to_string(i % 100), "x");
    sent += message;
    client.read(message);
    if (client.end.held) client.lane->on_answer(nullptr);
  }
  EXPECT_EQ(client.end.home, sent);
  EXPECT_LE(client.end.count(LaneWord::ask), 100u);
}

TEST_F(LaneTest, WhatIsTooLargeForAReceiverGoesHome) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  // Two bytes are for what another version may need.
  begin_routing(publisher, route(publisher, {{&receiver, v4}}, v4, 102));
  const std::string fits = publish("t", std::string(95, 'x')), larger = publish("t", std::string(96, 'x'));
  ASSERT_EQ(fits.size(), 100u);
  publisher.read(fits);
  EXPECT_EQ(publisher.end.home, "");
  publisher.read(larger + fits);
  EXPECT_EQ(publisher.end.home, larger + fits);
  turn();
  EXPECT_EQ(receiver.end.written, publish("t", "first") + fits);
}

TEST_F(LaneTest, LargeMessagesGoHome) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  const std::string fits = publish("t", std::string(largest - 6, 'x'));
  const std::string larger = publish("t", std::string(largest - 5, 'x'));
  ASSERT_EQ(fits.size(), largest);
  publisher.read(fits.substr(0, 3000));
  publisher.read(fits.substr(3000));
  EXPECT_EQ(publisher.end.home, "");
  publisher.read(larger.substr(0, 3000));
  EXPECT_EQ(publisher.end.home, larger.substr(0, 3000));
  publisher.read(larger.substr(3000));
  EXPECT_EQ(publisher.end.home, larger);
}

TEST_F(LaneTest, LongTopicsAreNotAskedFor) {
  LaneClient& client = add_client();
  const std::string longest(256, 't'), longer(257, 't');
  client.read(numbered(100, 0, longer) + numbered(100, 0, ""));
  EXPECT_TRUE(client.end.said.empty());
  client.read(publish(longest, ""));
  EXPECT_EQ(client.end.said.size(), 1u);
}

TEST_F(LaneTest, ReceiversOfBothVersionsGetWhatTheyUnderstand) {
  for (const Version version : {v4, v5}) {
    LaneClient& publisher = add_client();
    LaneClient& old = add_client();
    LaneClient& newer = add_client();
    begin_routing(publisher, route(publisher, {{&old, Version::v3_1}, {&newer, v5}}, version));
    std::string for_old = publish("t", "first"), for_newer = publish("t", "first", v5);
    for (const std::size_t size :
         std::vector<std::size_t>{0, 1, 122, 123, 124, 125, 126, 127, 128, largest - 8, largest - 7}) {
      const std::string payload(size, 'p');
      publisher.read(publish("t", payload, version));
      for_old += publish("t", payload);
      for_newer += publish("t", payload, v5);
      turn();
    }
    EXPECT_EQ(publisher.end.home, "");
    EXPECT_EQ(old.end.written, for_old);
    EXPECT_EQ(newer.end.written, for_newer);
  }
}

TEST_F(LaneTest, TranslatesManyPacketsOfAnyLength) {
  for (const Version version : {v4, v5}) {
    const Version other = version == v4 ? v5 : v4;
    LaneClient& publisher = add_client();
    LaneClient& receiver = add_client();
    const LaneRoutePtr by = route(publisher, {{&receiver, other}}, version);
    std::string packets, expected;
    for (const std::size_t size : {0u, 123u, 124u, 125u, 16'379u, 16'380u, 16'381u, 2'097'148u, 2'097'149u}) {
      packets += publish("t", std::string(size, 'p'), version);
      expected += publish("t", std::string(size, 'p'), other);
    }
    lanes[0]->deliver(by->stops.front(), as_bytes(packets));
    turn();
    EXPECT_TRUE(receiver.end.written == expected);
  }
}

TEST_F(LaneTest, WhoPublishesToItselfGetsItsMessages) {
  LaneClient& client = add_client();
  begin_routing(client, route(client, {{&client, v4}}));
  client.read(numbered(3));
  turn();
  EXPECT_EQ(client.end.written, publish("t", "first") + numbered(3));
}

TEST_F(LaneTest, MessagesForNobodyGoNowhereAndCount) {
  LaneClient& publisher = add_client();
  begin_routing(publisher, route(publisher, {}));
  publisher.read(numbered(3));
  publisher.lane->report();
  EXPECT_EQ(publisher.end.home, "");
  EXPECT_EQ(report_of(publisher.end.said.at(0)).counts.received, 4u);
  EXPECT_EQ(report_of(publisher.end.said.at(0)).counts.sent, 0u);
}

TEST_F(LaneTest, InsertsNothingIntoAPacketThatHomeHasBegun) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  turn();
  const std::string of_home = publish("home", std::string(200, 'h')) + packet("d0 00");
  const std::string first = publish("t", "first");
  for (std::size_t cut = 1; cut < of_home.size(); ++cut) {
    receiver.end.written.clear();
    receiver.write(of_home.substr(0, cut));
    publisher.read(publish("t", "1"));
    publisher.read(publish("t", "2"));
    turn();
    receiver.write(of_home.substr(cut));
    turn();
    const std::size_t end = cut <= of_home.size() - 2 ? of_home.size() - 2 : of_home.size();
    EXPECT_EQ(receiver.end.written,
              of_home.substr(0, end) + publish("t", "1") + publish("t", "2") + of_home.substr(end))
        << cut;
  }
}

TEST_F(LaneTest, InsertsWhereAPacketOfSingleBytesEnds) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  turn();
  receiver.end.written.clear();
  const std::string of_home = publish("home", std::string(200, 'h'));
  std::string inserted;
  for (std::size_t i = 0; i < of_home.size(); ++i) {
    receiver.write(of_home.substr(i, 1));
    publisher.read(publish("t", std::to_string(i)));
    inserted += publish("t", std::to_string(i));
  }
  turn();
  EXPECT_EQ(receiver.end.written, of_home + inserted);
}

TEST_F(LaneTest, InsertsNothingBehindDisconnect) {
  for (const char* const goodbye : {"e0 00", "e0", "e0 02 8b 00", "d0 00 e0 00"}) {
    LaneClient& publisher = add_client();
    LaneClient& receiver = add_client();
    begin_routing(publisher, route(publisher, {{&receiver, v4}}));
    turn();
    receiver.end.written.clear();
    receiver.write(packet(goodbye));
    publisher.read(numbered(3));
    turn();
    receiver.end.flush();
    EXPECT_EQ(receiver.end.written, packet(goodbye)) << goodbye;
  }
}

TEST_F(LaneTest, WhatWaitsForAPacketsEndComesBeforeDisconnect) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  turn();
  receiver.end.written.clear();
  const std::string of_home = publish("home", "x");
  receiver.write(of_home.substr(0, 3));
  publisher.read(numbered(2));
  receiver.write(of_home.substr(3) + packet("e0 00"));
  turn();
  EXPECT_EQ(receiver.end.written, of_home + numbered(2) + packet("e0 00"));
}

TEST_F(LaneTest, FlushesWhenTheTurnEndsOrMuchWaits) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  turn();
  receiver.end.written.clear();
  publisher.read(publish("t", "x"));
  EXPECT_EQ(receiver.end.written, "");
  turn();
  EXPECT_EQ(receiver.end.written, publish("t", "x"));
  for (int i = 0; i < 33; ++i) publisher.read(publish("t", std::string(1024, 'x')));
  EXPECT_GE(receiver.end.written.size(), 32u * 1024);
}

TEST_F(LaneTest, TellsOnceThatMuchWaitsAndOnceThatNothingDoes) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  LaneRoutePtr by = route(publisher, {{&receiver, v4}});
  begin_routing(publisher, by);
  receiver.end.room = 0;
  const std::string kilobyte = publish("t", std::string(1000, 'x'));
  std::string expected = receiver.end.written + receiver.end.output;
  while (expected.size() + kilobyte.size() < 64 * 1024) {
    publisher.read(kilobyte);
    expected += kilobyte;
    turn();
  }
  EXPECT_TRUE(receiver.end.said.empty());
  EXPECT_TRUE(*by->valid);
  publisher.read(kilobyte);
  expected += kilobyte;
  EXPECT_FALSE(*by->valid);
  EXPECT_EQ(receiver.end.count(LaneWord::slow), 1u);
  // A route that another publisher has got in the meantime ends, too.
  by = route(publisher, {{&receiver, v4}});
  publisher.read(kilobyte);
  publisher.lane->on_answer(by);
  expected += kilobyte;
  turn();
  EXPECT_FALSE(*by->valid);
  EXPECT_EQ(receiver.end.count(LaneWord::slow), 1u);
  // Some room is not enough.
  receiver.end.room = 1000;
  receiver.end.flush();
  receiver.shortcut().on_drained();
  EXPECT_EQ(receiver.end.count(LaneWord::quiet), 0u);
  receiver.end.room = expected.size();
  receiver.end.flush();
  receiver.shortcut().on_drained();
  receiver.shortcut().on_drained();
  EXPECT_EQ(receiver.end.count(LaneWord::quiet), 1u);
  EXPECT_EQ(receiver.end.written, expected);
}

TEST_F(LaneTest, WhatWaitsForAPacketsEndCountsAsWaiting) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  const LaneRoutePtr by = route(publisher, {{&receiver, v4}});
  begin_routing(publisher, by);
  receiver.write("\x30");
  for (int i = 0; i < 64; ++i) {
    publisher.read(publish("t", std::string(1024, 'x')));
    turn();
  }
  EXPECT_FALSE(*by->valid);
  EXPECT_EQ(receiver.end.count(LaneWord::slow), 1u);
  receiver.shortcut().on_drained();
  EXPECT_EQ(receiver.end.count(LaneWord::quiet), 0u);
  receiver.write(std::string("\x03\0\1h", 4));
  turn();
  EXPECT_EQ(receiver.end.count(LaneWord::quiet), 1u);
}

/// The slow clients of a thread have one bound together; what they let wait is no reason to drop for others.
TEST_F(LaneTest, DropsForSlowClientsOnlyAndTellsOfIt) {
  LaneClient& publisher = add_client();
  LaneClient& quick = add_client(1);
  std::vector<std::pair<LaneClient*, Version>> receivers{{&quick, v4}};
  for (int i = 0; i < 300; ++i) {
    receivers.emplace_back(&add_client(1), v4);
    receivers.back().first->end.room = 0;
  }
  begin_routing(publisher, route(publisher, receivers));
  LaneClient& slower = add_client(1);
  slower.end.room = 0;
  LaneClient& other_publisher = add_client();
  begin_routing(other_publisher, route(other_publisher, {{&slower, v4}}));
  const std::string message = publish("t", std::string(2000, 'x'));
  std::string expected = publish("t", "first"), expected_slower = expected;
  // It is all on its way before anybody is slow.
  for (int i = 0; i < 200; ++i, expected += message) publisher.read(message), turn(0);
  for (int i = 0; i < 20; ++i, expected_slower += message) other_publisher.read(message), turn(0);
  turn(1);
  EXPECT_TRUE(quick.end.written == expected);
  EXPECT_EQ(quick.end.count(LaneWord::dropped), 0u);
  EXPECT_TRUE(slower.end.output == expected_slower);
  EXPECT_TRUE(slower.end.said.empty());
  std::uint64_t all_dropped = 0;
  for (const auto& [receiver, version] : receivers) {
    std::uint64_t dropped = 0;
    for (const FakeEnd::Said& said : receiver->end.said) {
      if (said.word != LaneWord::dropped) continue;
      broker::RoutedCounts counts;
      ASSERT_EQ(said.bytes.size(), sizeof counts);
      std::memcpy(&counts, said.bytes.data(), sizeof counts);
      EXPECT_EQ(counts.sent_bytes, counts.sent * message.size());
      EXPECT_EQ(counts.sent_payload_bytes, counts.sent * 2000);
      dropped += counts.sent;
    }
    const std::size_t kept = receiver->end.written.size() + receiver->end.output.size();
    EXPECT_EQ(kept + dropped * message.size(), expected.size());
    if (dropped == 0) continue;
    EXPECT_EQ(receiver->end.said.front().word, LaneWord::slow);
    EXPECT_GE(kept, 64u * 1024);
    all_dropped += dropped;
  }
  EXPECT_GT(all_dropped, 0u);
}

TEST_F(LaneTest, ReportsWhatItHasRouted) {
  LaneClient& publisher = add_client();
  LaneClient& one = add_client();
  LaneClient& other = add_client(1);
  begin_routing(publisher, route(publisher, {{&one, v5}, {&other, v5}}, v5));
  publisher.lane->report();
  ASSERT_EQ(publisher.end.said.size(), 1u);
  publisher.end.said.clear();
  publisher.lane->report();
  EXPECT_TRUE(publisher.end.said.empty());
  const std::string message = publish("t", "payload", v5);
  publisher.read(message + message);
  publisher.read(pingreq_packet + message);
  publisher.lane->report();
  ASSERT_EQ(publisher.end.said.size(), 1u);
  const LaneReport report = report_of(publisher.end.said[0]);
  EXPECT_EQ(report.counts.received, 3u);
  EXPECT_EQ(report.counts.received_bytes, 3 * message.size());
  EXPECT_EQ(report.counts.received_payload_bytes, 3 * 7u);
  EXPECT_EQ(report.counts.sent, 6u);
  EXPECT_EQ(report.counts.sent_bytes, 6 * message.size());
  EXPECT_EQ(report.counts.sent_payload_bytes, 6 * 7u);
  EXPECT_EQ(report.heard, lanes[0]->now());
}

/// A slow line may take long for one message: the client is heard while it comes.
TEST_F(LaneTest, ReportsThatAPartOfAMessageHasCome) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  publisher.lane->report();
  publisher.end.said.clear();
  const std::string message = publish("t", "payload");
  publisher.read(message.substr(0, 4));
  EXPECT_EQ(publisher.end.home, "");
  publisher.lane->report();
  ASSERT_EQ(publisher.end.said.size(), 1u);
  const LaneReport report = report_of(publisher.end.said[0]);
  EXPECT_EQ(report.heard, lanes[0]->now());
  EXPECT_EQ(report.counts.received, 0u);
}

TEST_F(LaneTest, ReportsBeforeLongByItself) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  publisher.read(numbered(3));
  EXPECT_TRUE(net::test::run_until(threads[0]->loop(), [&] { return !publisher.end.said.empty(); }));
  EXPECT_EQ(report_of(publisher.end.said.at(0)).counts.received, 4u);
}

TEST_F(LaneTest, RoutesNothingWhenTheBrokerHasLetGo) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  publisher.read(numbered(2));
  publisher.lane->leave_broker();
  EXPECT_EQ(publisher.end.count(LaneWord::report), 1u);
  publisher.read(numbered(50, 2));
  turn();
  EXPECT_EQ(publisher.end.home, numbered(50, 2));
  EXPECT_EQ(publisher.end.count(LaneWord::ask), 0u);
  EXPECT_EQ(receiver.end.written, publish("t", "first") + numbered(2));
}

/// What home has decided holds before the thread is told.
TEST_F(LaneTest, RoutesNothingFromTheMomentThatTheBrokerLetsGo) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  publisher.read(numbered(2));
  publisher.lane->let_go();
  publisher.read(numbered(2, 2));
  turn();
  EXPECT_EQ(publisher.end.home, numbered(2, 2));
  EXPECT_EQ(receiver.end.written, publish("t", "first") + numbered(2));
}

TEST_F(LaneTest, ReadsOnWhenTheBrokerHasLetGoInsteadOfAnAnswer) {
  LaneClient& client = add_client();
  LaneClient& receiver = add_client();
  client.read(numbered(20));
  ASSERT_TRUE(client.end.held);
  client.lane->leave_broker();
  EXPECT_FALSE(client.end.held);
  EXPECT_EQ(client.end.home, numbered(20));
  client.lane->on_answer(route(client, {{&receiver, v4}}));
  client.read(numbered(20, 20));
  EXPECT_EQ(client.end.home, numbered(40));
}

TEST_F(LaneTest, AtTheEndOfInputAllGoesHomeInOrder) {
  const std::string part = publish("t", "a part").substr(0, 6);
  {
    LaneClient& idle = add_client();
    idle.read("\x30");
    idle.shortcut().on_read_over();
    EXPECT_EQ(idle.end.home, "\x30");
  }
  {
    LaneClient& asking = add_client();
    asking.read(numbered(20) + part);
    asking.shortcut().on_read_over();
    EXPECT_EQ(asking.end.home, numbered(20) + part);
  }
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  publisher.read(numbered(2) + part);
  EXPECT_EQ(publisher.end.home, "");
  publisher.shortcut().on_read_over();
  EXPECT_EQ(publisher.end.home, part);
  EXPECT_EQ(publisher.end.count(LaneWord::report), 1u);
}

TEST_F(LaneTest, RestsBehindItsShareOfTheTurn) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  const std::string message = large_messages(5);
  std::string expected = publish("t", "first");
  for (int i = 0; i < 10; ++i, expected += message) publisher.read(message);
  EXPECT_TRUE(publisher.end.held);
  EXPECT_LT(receiver.end.written.size() + receiver.end.output.size(), expected.size());
  turn();
  EXPECT_FALSE(publisher.end.held);
  EXPECT_EQ(receiver.end.written, expected);
}

TEST_F(LaneTest, MessagesGoToAnotherThreadWhenTheTurnEnds) {
  LaneClient& publisher = add_client();
  LaneClient& there = add_client(1);
  LaneClient& too = add_client(1);
  begin_routing(publisher, route(publisher, {{&there, v4}, {&too, v5}}));
  publisher.read(numbered(3));
  turn(1);
  EXPECT_EQ(there.end.written, "");
  turn(0);
  turn(1);
  EXPECT_EQ(there.end.written, publish("t", "first") + numbered(3));
  EXPECT_EQ(too.end.written.size(), there.end.written.size() + 4);
}

TEST_F(LaneTest, WhoHasGoneGetsNothing) {
  LaneClient& publisher = add_client();
  auto there = std::make_unique<LaneClient>(*lanes[1]);
  LaneClient& too = add_client(1);
  begin_routing(publisher, route(publisher, {{there.get(), v4}, {&too, v4}}));
  publisher.read(numbered(3));
  turn(0);
  there.reset();
  turn(1);
  EXPECT_EQ(too.end.written, publish("t", "first") + numbered(3));
}

TEST_F(LaneTest, WhatIsSaidAtHomeLaterIsWithAnotherThreadLater) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client(1);
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  publisher.read(publish("t", "routed"));
  // So much is handed over at once, before the turn ends.
  const std::vector<std::uint8_t> much(1 << 20);
  std::string seen = "nothing was said";
  threads[0]->post_home(
      [&](Bytes) {
        threads[1]->post([&](Bytes) { seen = receiver.end.written + receiver.end.output; });
        threads[1]->hand_over();
      },
      much);
  run_ready(home);
  turn(1);
  EXPECT_EQ(seen, publish("t", "first") + publish("t", "routed"));
}

TEST_F(LaneTest, WaitsForAThreadThatIsBehind) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client(1);
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  std::string expected = publish("t", "first");
  const std::string message = large_messages(2);
  // The share of a turn is more than four such reads; the way is full behind a number that is no multiple.
  const std::string four = message + message + message + message;
  std::size_t reads = 0;
  while (!publisher.end.held && reads < 1000) {
    publisher.read(four);
    expected += four;
    if (++reads % 4 == 0) turn(0);
  }
  EXPECT_GE(reads, 1024u * 1024 / (four.size() + 64));
  EXPECT_LE(reads, 1024u * 1024 / four.size() + 2);
  publisher.read(message);
  turn(0);
  EXPECT_TRUE(publisher.end.held);
  // What it says meanwhile nobody hears, so it counts as heard.
  for (int i = 0; i < 3; ++i) {
    publisher.end.said.clear();
    ASSERT_TRUE(net::test::run_until(threads[0]->loop(), [&] { return !publisher.end.said.empty(); }));
    EXPECT_GE(report_of(publisher.end.said.at(0)).heard + 1s, lanes[0]->now());
  }
  turn(1);
  turn(0);
  EXPECT_FALSE(publisher.end.held);
  expected += message;
  turn(0);
  turn(1);
  EXPECT_TRUE(receiver.end.written == expected);
  EXPECT_EQ(publisher.end.home, "");
}

TEST_F(LaneTest, OfManyThatWaitAllGoOn) {
  LaneClient& receiver = add_client(1);
  std::vector<LaneClient*> publishers;
  std::size_t expected = 0;
  for (int i = 0; i < 40; ++i) {
    publishers.push_back(&add_client());
    begin_routing(*publishers.back(), route(*publishers.back(), {{&receiver, v4}}));
    expected += publish("t", "first").size();
  }
  const std::string message = large_messages(5);
  for (int round = 0; round < 50; ++round) {
    for (LaneClient* const publisher : publishers)
      if (!publisher->end.held) publisher->read(message), expected += message.size();
    turn(0);
    if (round % 3 == 2) turn(1);
  }
  for (int i = 0; i < 10; ++i) turn(0), turn(1);
  for (const LaneClient* const publisher : publishers) EXPECT_FALSE(publisher->end.held);
  EXPECT_EQ(receiver.end.written.size(), expected);
}

/// Behind DISCONNECT the broker soon lets go of the stream, and hears no report any more.
TEST_F(LaneTest, ReportsBeforeWhatEndsRouting) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  publisher.read(numbered(3) + packet("e0 00"));
  ASSERT_EQ(publisher.end.said.size(), 1u);
  EXPECT_EQ(report_of(publisher.end.said[0]).counts.received, 4u);
  EXPECT_EQ(publisher.end.said[0].behind, 0u);
}

/// Each of the two reasons to wait has its own end.
TEST_F(LaneTest, TheEndOfATurnMakesNoRoomInAnotherThread) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client(1);
  begin_routing(publisher, route(publisher, {{&receiver, v4}}));
  const std::string message = large_messages(8);
  std::string five, expected = publish("t", "first");
  for (int i = 0; i < 5; ++i) five += message;
  std::size_t reads = 0;
  for (; !publisher.end.held && reads < 1000; ++reads) {
    publisher.read(five);
    turn(0);
  }
  EXPECT_LE(reads, 1024u * 1024 / five.size() + 2);
  for (int i = 0; i < 100 && !publisher.end.held; ++i) turn(0);
  EXPECT_TRUE(publisher.end.held);
  for (std::size_t i = 0; i < reads; ++i) expected += five;
  for (int i = 0; i < 10; ++i) turn(1), turn(0);
  EXPECT_FALSE(publisher.end.held);
  EXPECT_TRUE(receiver.end.written == expected);
}

/// So there is progress, however often subscriptions change.
TEST_F(LaneTest, AMessageGoesHomeIfItsRouteHasEndedBeforeTheAnswerCame) {
  LaneClient& publisher = add_client();
  LaneClient& receiver = add_client();
  publisher.read(numbered(16));
  const LaneRoutePtr ended = route(publisher, {{&receiver, v4}});
  ended->valid->store(false);
  publisher.lane->on_answer(ended);
  EXPECT_EQ(publisher.end.count(LaneWord::ask), 1u);
  EXPECT_EQ(publisher.end.home, numbered(16));
  EXPECT_FALSE(publisher.end.held);
}

/// Whatever it is sent and told: what goes home and what is inserted is what was read, in order.
TEST_F(LaneTest, WhatItPassesOnAndDeliversIsWhatItRead) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random{seed};
    const auto below = [&](std::size_t bound) { return random() % bound; };
    LaneClient& publisher = add_client();
    LaneClient& receiver = add_client();
    std::string all, input;
    publisher.end.all = receiver.end.all = &all;
    if (below(2) == 0) receiver.end.room = below(100'000);
    while (input.size() < 60'000) {
      const std::string topic = "topic " + std::to_string(below(seed % 3 == 0 ? 20 : 2));
      for (std::size_t left = below(60); left > 0; --left)
        input += publish(topic, std::string(below(50) == 0 ? below(20'000) : below(150), 'x'));
      const std::string others[] = {pingreq_packet, subscribe_packet, packet("32 05 00 01 't' 00 01"),
                                    packet("40 02 00 01"), packet("30 00")};
      if (below(3) == 0) input += others[below(std::size(others))];
    }
    if (below(4) == 0) input += packet("30 80 80 80 80 01") + numbered(30);
    LaneRoutePtr last;
    std::size_t asked = 0;
    const auto answer = [&] {
      const std::size_t asks = publisher.end.count(LaneWord::ask);
      ASSERT_LE(asks, asked + 1) << "it asked twice";
      if (asks == asked) return;
      asked = asks;
      last = below(4) == 0 ? nullptr : route(publisher, {{&receiver, v4}});
      publisher.lane->on_answer(last);
    };
    for (std::size_t at = 0; at < input.size();) {
      const std::size_t size = std::min<std::size_t>(input.size() - at, 1 + below(below(2) == 0 ? 30 : 5000));
      publisher.read(std::string_view{input}.substr(at, size));
      at += size;
      if (below(4) == 0) answer();
      if (below(5) == 0) turn();
      if (last && below(30) == 0) last->valid->store(false);
      ASSERT_LE(all.size(), at);
      ASSERT_TRUE(std::string_view{input}.starts_with(std::string_view{all}.substr(0, 1000)));
    }
    publisher.shortcut().on_read_over();
    turn();
    EXPECT_TRUE(all == input) << "seed " << seed;
    EXPECT_FALSE(publisher.end.held);
  }
}

}  // namespace
}  // namespace mqtt::server::test
