#include "mqspy/fault_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "support/packets.hpp"

namespace mq::spy {
namespace {

using mqtt::Sender;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string encoded(const mqtt::PacketView& packet, mqtt::Version version = mqtt::Version::v5) {
  return mqtt::to_string(mqtt::test::encoded(packet, version));
}

std::string message(std::string_view topic, mqtt::PacketId id = 0) {
  return encoded(mqtt::PublishView{
      .qos = id == 0 ? mqtt::QoS::at_most_once : mqtt::QoS::at_least_once, .topic = topic, .packet_id = id});
}

template <class P>
std::string ack(mqtt::PacketId id, mqtt::ReasonCode reason = mqtt::ReasonCode::success) {
  P p;
  p.packet_id = id;
  p.reason = reason;
  return encoded(p);
}

std::string connect(mqtt::Version version = mqtt::Version::v5) {
  mqtt::ConnectView p;
  p.version = version;
  p.client_id = "plc3";
  return encoded(p, version);
}

/// A line, its time, and what has come out of it.
class Line : public FaultWatcher {
 public:
  explicit Line(std::vector<std::string> texts, std::uint64_t seed = 1) {
    std::vector<FaultRule> parsed;
    for (const std::string& text : texts) {
      auto rule = FaultRule::parse(text);
      EXPECT_TRUE(rule) << text << ": " << to_string(rule.error());
      if (rule) parsed.push_back(std::move(*rule));
    }
    rules = std::make_unique<FaultRules>(std::move(parsed), seed);
    line = std::make_unique<FaultLine>(*rules, link);
  }

  Line& client(const std::string& bytes) { return say(Sender::client, bytes); }
  Line& server(const std::string& bytes) { return say(Sender::server, bytes); }
  Line& say(Sender sender, const std::string& bytes) {
    line->receive(sender, now, mqtt::as_bytes(bytes), *this);
    take();
    return *this;
  }
  /// Time goes by in steps of a millisecond, as deadlines come.
  Line& wait(milliseconds span) {
    for (const auto end = now + span; now < end;) {
      now += milliseconds{1};
      if (line->next_deadline() && *line->next_deadline() <= now) line->on_time(now);
      take();
    }
    return *this;
  }
  void take() {
    for (const Sender sender : {Sender::client, Sender::server}) {
      const mqtt::Bytes out = line->output(sender);
      (sender == Sender::client ? to_server : to_client) += mqtt::as_text(out);
      if (!out.empty() && sender == Sender::client) writes.push_back(mqtt::to_string(out));
      line->consume(sender, out.size());
    }
  }

  void on_passing(Sender, mqtt::Bytes passing) override { passed += mqtt::as_text(passing); }
  void on_fired(const Fired& event) override {
    fired.push_back(event.rule.action.text);
    originals.push_back(mqtt::to_string(event.original));
    sents.push_back(mqtt::to_string(event.sent));
  }

  void on_too_large(Sender, std::size_t size) override { too_large.push_back(size); }

  Link link = [] {
    Link made;
    made.number = 1;
    return made;
  }();
  std::unique_ptr<FaultRules> rules;
  std::unique_ptr<FaultLine> line;
  mqtt::TimePoint now{std::chrono::seconds{1}};
  std::string to_server, to_client, passed;
  std::vector<std::string> writes, fired, originals, sents;
  std::vector<std::size_t> too_large;
};

std::string large_message() {
  const std::string payload(PacketCutter::packet_max_bytes, 'x');
  return encoded(mqtt::PublishView{.topic = "large", .payload = mqtt::as_bytes(payload)});
}

TEST(FaultLine, WithoutAFiringNothingChanges) {
  Line line{{"topic==x do drop"}};
  const std::string all = connect() + message("a") + message("b", 3);
  for (const char c : all) line.client(std::string{c});
  EXPECT_EQ(line.to_server, all);
  EXPECT_EQ(line.passed, all);
  EXPECT_THAT(line.fired, IsEmpty());
}

TEST(FaultLine, DropsTheThirdOnly) {
  Line line{{"type==PUBLISH [nth=3] do drop"}};
  for (const char* topic : {"a", "b", "c", "d"}) line.client(message(topic));
  EXPECT_EQ(line.to_server, message("a") + message("b") + message("d"));
  EXPECT_THAT(line.originals, ElementsAre(message("c")));
  EXPECT_THAT(line.sents, ElementsAre(""));
  EXPECT_EQ(line.passed, message("a") + message("b") + message("c") + message("d"));
}

TEST(FaultLine, APacketAboveTheBoundPassesAsItIsAndIsTold) {
  const std::string large = large_message();
  for (const std::size_t first : {large.size(), std::size_t{10'000}, std::size_t{3}}) {
    Line line{{"type==PUBLISH [nth=2] do drop"}};
    line.client(message("a"));
    std::size_t waiting = 0;
    for (std::size_t at = 0, size = first; at < large.size();
         at += size, size = std::min<std::size_t>(10'000, large.size() - at)) {
      line.line->receive(Sender::client, line.now, mqtt::as_bytes(large).subspan(at, size), line);
      waiting = std::max(waiting, line.line->waiting(Sender::client));
      line.take();
    }
    line.client(message("b"));
    EXPECT_EQ(line.to_server, message("a") + large);
    EXPECT_EQ(line.passed, message("a") + large + message("b"));
    EXPECT_THAT(line.too_large, ElementsAre(large.size()));
    EXPECT_THAT(line.originals, ElementsAre(message("b")));
    EXPECT_LE(waiting, std::max<std::size_t>(first, 10'003));
  }
}

TEST(FaultLine, NothingIsPutIntoTheMiddleOfALargePacket) {
  const std::string large = large_message();
  Line line{{"topic==q do reply rc=0x87", "topic==a do reorder 5"}};
  line.server(large.substr(0, 5'000)).client(message("q", 3));
  line.server(large.substr(5'000));
  EXPECT_EQ(line.to_client, large + ack<mqtt::PubackView>(3, mqtt::ReasonCode::not_authorized));

  line.client(message("a")).client(large.substr(0, 5'000)).wait(std::chrono::seconds{2});
  line.client(large.substr(5'000));
  EXPECT_EQ(line.to_server, large + message("a"));
}

TEST(FaultLine, EveryFromAndCount) {
  Line every{{"type==PUBLISH [every=2] do drop"}};
  Line from{{"type==PUBLISH [from=2 count=2] do drop"}};
  for (const char* topic : {"a", "b", "c", "d", "e"}) {
    every.client(message(topic));
    from.client(message(topic));
  }
  EXPECT_EQ(every.to_server, message("a") + message("c") + message("e"));
  EXPECT_EQ(from.to_server, message("a") + message("d") + message("e"));
}

TEST(FaultLine, TheDiceFallTheSameWayForTheSameSeed) {
  const auto run = [](std::uint64_t seed) {
    Line line{{"type==PUBLISH [p=0.3] do drop", "type==PUBLISH do delay 20ms~10"}, seed};
    for (mqtt::PacketId id = 1; id <= 200; ++id) line.client(message("t", id)).wait(milliseconds{1});
    line.wait(milliseconds{100});
    return line.writes;
  };
  const auto once = run(7);
  EXPECT_EQ(once, run(7));
  EXPECT_NE(once, run(8));
  std::size_t size = 0;
  for (const std::string& write : once) size += write.size();
  const auto left = size / message("t", 1).size();
  EXPECT_GT(left, 110u);
  EXPECT_LT(left, 170u);
}

TEST(FaultLine, DelayKeepsTheOrderOfItsDirectionAndNothingElse) {
  Line line{{"topic==slow do delay 200ms"}};
  line.client(message("slow")).client(message("behind")).server(message("other"));
  EXPECT_EQ(line.to_server, "");
  EXPECT_EQ(line.to_client, message("other"));
  line.wait(milliseconds{199});
  EXPECT_EQ(line.to_server, "");
  line.wait(milliseconds{1});
  EXPECT_EQ(line.to_server, message("slow") + message("behind"));
}

TEST(FaultLine, JitterStaysInItsRange) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Line line{{"type==PUBLISH do delay 200ms~50"}, seed};
    line.client(message("t")).wait(milliseconds{149});
    EXPECT_EQ(line.to_server, "");
    line.wait(milliseconds{102});
    EXPECT_EQ(line.to_server, message("t"));
  }
}

TEST(FaultLine, DupSendsItTwice) {
  Line line{{"type==PUBLISH do dup"}};
  line.client(message("a"));
  EXPECT_EQ(line.to_server, message("a") + message("a"));
  EXPECT_THAT(line.sents, ElementsAre(message("a") + message("a")));
}

TEST(FaultLine, ReorderLetsOthersPass) {
  Line line{{"topic==a do reorder 2"}};
  line.client(message("a")).client(message("b"));
  EXPECT_EQ(line.to_server, message("b"));
  line.client(message("c")).client(message("d"));
  EXPECT_EQ(line.to_server, message("b") + message("c") + message("a") + message("d"));
}

TEST(FaultLine, ReorderDoesNotWaitForEver) {
  Line line{{"topic==a do reorder 2"}};
  line.client(message("a")).wait(milliseconds{999});
  EXPECT_EQ(line.to_server, "");
  line.wait(milliseconds{2});
  EXPECT_EQ(line.to_server, message("a"));
}

TEST(FaultLine, ReorderedPacketsComeAtTheEndAtLatest) {
  Line line{{"topic==a do reorder 9", "topic==b do reorder 3"}};
  line.client(message("a")).client(message("b"));
  line.line->end(Sender::client, line.now, line);
  line.take();
  EXPECT_EQ(line.to_server, message("a") + message("b"));
  EXPECT_TRUE(line.line->finished(Sender::client));
}

TEST(FaultLine, CorruptAndTruncate) {
  Line line{{"topic==a do corrupt 4:ff", "topic==b do truncate 3", "topic==c do corrupt 400:ff"}};
  std::string corrupted = message("a");
  corrupted[4] = '\xff';
  line.client(message("a")).client(message("b")).client(message("c"));
  EXPECT_EQ(line.to_server, corrupted + message("b").substr(0, 3) + message("c"));
}

TEST(FaultLine, SplitWritesPiecesApart) {
  Line line{{"topic==a do split 2"}};
  line.client(message("a") + message("b"));
  line.wait(milliseconds{50});
  const std::string a = message("a");
  ASSERT_EQ(a.size(), 6u);
  EXPECT_THAT(line.writes, ElementsAre(a.substr(0, 2), a.substr(2, 2), a.substr(4, 2), message("b")));
}

TEST(FaultLine, ThrottleHoldsTheRateOverManyPackets) {
  Line line{{"type==PUBLISH do throttle 1000B/s"}};
  std::string all;
  for (mqtt::PacketId id = 1; id <= 100; ++id) all += message("ten", id);
  line.client(all);
  const std::size_t size = all.size();
  line.wait(milliseconds{500});
  EXPECT_LE(line.to_server.size(), 550u);
  EXPECT_GE(line.to_server.size(), 400u);
  line.wait(milliseconds{size});
  EXPECT_EQ(line.to_server, all);
}

TEST(FaultLine, HoldStopsBothDirections) {
  Line line{{"topic==a do hold 5s"}};
  line.client(message("a")).server(message("b")).wait(milliseconds{4999});
  EXPECT_EQ(line.to_server + line.to_client, "");
  line.wait(milliseconds{1});
  EXPECT_EQ(line.to_server, message("a"));
  EXPECT_EQ(line.to_client, message("b"));
}

TEST(FaultLine, SetMakesThePacketAnew) {
  Line line{{"type==PUBLISH do set retain=1", "type==PUBLISH do set topic=x/y",
             "type==PUBLISH do set props.message_expiry_interval=9", "type==PINGREQ do set retain=1"}};
  line.client(message("a")).client(encoded(mqtt::PingreqView{}));
  mqtt::Properties properties;
  properties.add(mqtt::PropertyId::message_expiry_interval, 9);
  const std::string changed =
      encoded(mqtt::PublishView{.retain = true, .topic = "x/y", .properties = properties});
  EXPECT_EQ(line.to_server, changed + encoded(mqtt::PingreqView{}));
  EXPECT_EQ(line.fired.size(), 4u);
}

TEST(FaultLine, ReplyAnswersInTheReceiversName) {
  Line line{{"dir==c2s && type!=CONNECT do reply rc=0x87"}};
  const std::string publish = message("a", 5);
  const std::string publish2 =
      encoded(mqtt::PublishView{.qos = mqtt::QoS::exactly_once, .topic = "a", .packet_id = 6});
  line.client(connect()).client(publish).client(publish2).client(encoded(mqtt::PingreqView{}));
  using mqtt::ReasonCode;
  const std::string answers = ack<mqtt::PubackView>(5, ReasonCode::not_authorized) +
                              ack<mqtt::PubrecView>(6, ReasonCode::not_authorized) +
                              encoded(mqtt::PingrespView{});
  EXPECT_EQ(line.to_server, connect());
  EXPECT_EQ(line.to_client, answers);
  EXPECT_THAT(line.originals, ElementsAre(publish, publish2, encoded(mqtt::PingreqView{})));
}

TEST(FaultLine, AReplyThatRefusesAConnectAlsoEndsIt) {
  for (const auto version : mqtt::test::all_versions) {
    Line line{{"type==CONNECT do reply rc=0x87"}};
    line.client(connect(version));
    mqtt::ConnackView refusal;
    refusal.reason = mqtt::ReasonCode::not_authorized;
    refusal.return_code = mqtt::ConnectReturnCode::not_authorized;
    EXPECT_EQ(line.to_client, encoded(refusal, version));
    EXPECT_EQ(line.to_server, "");
    EXPECT_EQ(line.line->wants_close(), CloseKind::fin);
  }
}

TEST(FaultLine, CloseComesInThePacketsPlaceBehindWhatWasBeforeIt) {
  Line line{{"topic==a do delay 50ms", "topic==b do close rst"}};
  line.client(message("a") + message("b") + message("c"));
  EXPECT_EQ(line.line->wants_close(), std::nullopt);
  line.wait(milliseconds{60});
  EXPECT_EQ(line.to_server, message("a"));
  EXPECT_EQ(line.line->wants_close(), CloseKind::rst);
}

TEST(FaultLine, DisconnectIsSaidByWhoMaySayIt) {
  Line line{{"topic==a do disconnect 0x8b"}};
  line.client(connect()).client(message("a"));
  mqtt::DisconnectView goodbye;
  goodbye.reason = mqtt::ReasonCode::server_shutting_down;
  EXPECT_EQ(line.to_client, encoded(goodbye));
  EXPECT_EQ(line.line->wants_close(), CloseKind::fin);

  Line clients{{"topic==a do disconnect 0x04"}};
  clients.client(connect()).client(message("a"));
  goodbye.reason = mqtt::ReasonCode::disconnect_with_will;
  EXPECT_EQ(clients.to_client, "");
  EXPECT_EQ(clients.to_server, connect() + encoded(goodbye));

  Line old{{"topic==a do disconnect 0x8b"}};
  old.client(connect(mqtt::Version::v3_1_1))
      .client(encoded(mqtt::PublishView{.topic = "a"}, mqtt::Version::v3_1_1));
  EXPECT_EQ(old.to_client, "");
  EXPECT_EQ(old.line->wants_close(), CloseKind::fin);
}

TEST(FaultLine, ThirdPubrecDroppedAndClosedBetweenPubrelAndPubcomp) {
  Line line{{"type==PUBREC [nth=3] do drop", "type==PUBCOMP [nth=3] do close"}};
  line.client(connect()).server(encoded(mqtt::ConnackView{}));
  const std::size_t greeted = line.to_client.size();
  std::string answers;
  for (mqtt::PacketId id = 1; id <= 4; ++id) {
    line.client(encoded(mqtt::PublishView{.qos = mqtt::QoS::exactly_once, .topic = "t", .packet_id = id}));
    line.server(ack<mqtt::PubrecView>(id));
    if (id == 3) continue;  // its PUBREC never came
    answers += ack<mqtt::PubrecView>(id);
    line.client(ack<mqtt::PubrelView>(id)).server(ack<mqtt::PubcompView>(id));
    if (id != 4) answers += ack<mqtt::PubcompView>(id);
  }
  EXPECT_EQ(line.to_client.substr(greeted), answers);
  EXPECT_TRUE(line.to_server.ends_with(ack<mqtt::PubrelView>(4)));
  EXPECT_EQ(line.line->wants_close(), CloseKind::fin);
  EXPECT_THAT(line.fired, ElementsAre("drop", "close"));
}

TEST(FaultLine, WhatIsNoPacketPassesAsItIs) {
  Line line{{"type==PUBLISH do drop"}};
  const std::string broken = "\x30\xff\xff\xff\xff\xff and more";
  for (const char c : message("a") + broken) line.client(std::string{c});
  EXPECT_EQ(line.to_server, broken);
  EXPECT_EQ(line.passed, message("a") + broken);
}

TEST(FaultLine, ACutPacketPassesAtTheEnd) {
  Line line{{"type==PUBLISH do drop"}};
  line.client(message("a") + message("b").substr(0, 4));
  EXPECT_FALSE(line.line->finished(Sender::client));
  line.line->end(Sender::client, line.now, line);
  line.take();
  EXPECT_EQ(line.to_server, message("b").substr(0, 4));
  EXPECT_TRUE(line.line->finished(Sender::client));
}

TEST(FaultLine, CountsWhatWaits) {
  Line line{{"topic==a do reorder 1", "topic==b do hold 1s"}};
  line.client(message("a"));
  EXPECT_EQ(line.line->waiting(Sender::client), message("a").size());
  line.client(message("b"));
  EXPECT_EQ(line.line->waiting(Sender::client), message("a").size() + message("b").size());
  line.wait(milliseconds{1000});
  EXPECT_EQ(line.line->waiting(Sender::client), 0u);
}

TEST(FaultLine, OverAllPacketsEverythingIsSentInOrderUnlessARuleSaysSo) {
  for (const auto& sample : mqtt::test::all_samples()) {
    Line line{{"n>0 [p=0.5] do split 1"}, sample.bytes.size()};
    const std::string whole = mqtt::to_string(sample.bytes);
    line.say(sample.context.sender, whole + whole).wait(milliseconds{static_cast<int>(whole.size()) * 5});
    EXPECT_EQ(line.to_server + line.to_client, whole + whole) << sample.name;
  }
}

}  // namespace
}  // namespace mq::spy
