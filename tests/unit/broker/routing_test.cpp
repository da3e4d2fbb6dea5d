// Who gets a message, how often and as what; retained messages; shared subscriptions.
#include "broker_test.hpp"

#include <map>
#include <span>

#include <fmt/format.h>

namespace mqtt::test {
namespace {

using broker::BrokerConfig;
using broker::DropReason;
using testing::UnorderedElementsAre;

struct RoutingTest : testing::Test {
  void SetUp() override {
    p.enter("id=p clean");
    s.enter("id=s clean");
  }
  Rig rig;
  Client p{rig};
  Client s{rig};
};

TEST_F(RoutingTest, Mqtt_3_3_4_2_OverlappingSubscriptionsGetOneCopyAtTheHighestQosWithAllIdentifiers) {
  s.subscribe("a/+:0", "subscription_identifier=1");
  s.subscribe("a/#:2", "subscription_identifier=2");
  s.subscribe("a/b:1");
  p.send("PUBLISH q=2 id=1 t=a/b p=x");
  const auto got = s.take_messages();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_THAT(got[0], StartsWith("PUBLISH q=2 id=1 t=a/b p=x"));
  EXPECT_THAT(got[0], testing::HasSubstr("subscription_identifier=1"));
  EXPECT_THAT(got[0], testing::HasSubstr("subscription_identifier=2"));
}

TEST_F(RoutingTest, Mqtt_3_8_4_3_ASecondSubscriptionReplacesTheFirst) {
  s.subscribe("a:2", "subscription_identifier=1");
  s.subscribe("a:0");
  p.send("PUBLISH q=2 id=1 t=a p=x");
  EXPECT_THAT(s.take_messages(), ElementsAre("PUBLISH q=0 id=0 t=a p=x"));
  EXPECT_EQ(rig.counters().subscriptions, 1u);
}

TEST_F(RoutingTest, Mqtt_3_8_3_3_NoLocalKeepsOnesOwnAway) {
  p.subscribe("a:1:nl");
  s.subscribe("a:1:nl");
  p.send("PUBLISH q=1 id=1 t=a p=x");
  EXPECT_THAT(p.take(), ElementsAre("PUBACK id=1"));
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=x"));
}

TEST_F(RoutingTest, Mqtt_3_3_1_12_RetainIsAsPublishedOnlyIfAsked) {
  s.subscribe("a:0:rap");
  p.subscribe("a:0");
  p.send("PUBLISH retain t=a p=x");
  p.send("PUBLISH t=a p=y");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 retain t=a p=x", "PUBLISH q=0 id=0 t=a p=y"));
  EXPECT_THAT(p.take(), ElementsAre("PUBLISH q=0 id=0 t=a p=x", "PUBLISH q=0 id=0 t=a p=y"));
}

TEST_F(RoutingTest, PropertiesArriveUnchangedAndInOrder) {
  s.subscribe("a:1", "subscription_identifier=9");
  const std::string properties =
      " user_property=a:1 payload_format_indicator=1 user_property=b:2 content_type=t response_topic=r "
      "correlation_data=c user_property=a:1";
  p.send("PUBLISH q=1 id=1 t=a p=x topic_alias=1" + properties);
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=x" + properties + " subscription_identifier=9"));
}

TEST_F(RoutingTest, Mqtt_3_3_2_6_ExpiryIsCountedDownAndTheRestDropped) {
  s.enter("id=s clean session_expiry_interval=100");
  s.subscribe("a:1");
  s.cut();
  p.send("PUBLISH q=1 id=1 t=a p=soon message_expiry_interval=5");
  p.send("PUBLISH q=1 id=2 t=a p=later message_expiry_interval=10");
  rig.advance(5s);
  s.enter("id=s");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=later message_expiry_interval=5"));
  EXPECT_EQ(rig.dropped(DropReason::expired), 1u);
  p.send("PUBLISH t=a p=now message_expiry_interval=7");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 t=a p=now message_expiry_interval=7"));
}

TEST_F(RoutingTest, Mqtt_3_1_2_25_WhatIsTooLargeForAReceiverIsDropped) {
  s.enter("id=s clean maximum_packet_size=100");
  s.subscribe("a:1");
  p.send("PUBLISH q=1 id=1 t=a p=x*100");
  p.send("PUBLISH q=1 id=2 t=a p=y");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=y"));
  EXPECT_EQ(rig.dropped(DropReason::too_large), 1u);
  EXPECT_THAT(rig.events.lines, Contains("dropped s too_large 1"));
}

TEST_F(RoutingTest, AReceiverBefore5GetsNoProperties) {
  Client old{rig, Version::v3_1_1};
  old.enter("id=old clean");
  old.subscribe("a:1");
  p.send("PUBLISH q=1 id=1 t=a p=x content_type=t message_expiry_interval=5");
  EXPECT_THAT(old.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=x"));
}

TEST_F(RoutingTest, NobodyToHaveItIsSaid) {
  p.send("PUBLISH q=1 id=1 t=a p=x");
  p.send("PUBLISH q=2 id=2 t=a p=x");
  EXPECT_THAT(p.take(), ElementsAre("PUBACK id=1 rc=0x10", "PUBREC id=2 rc=0x10", "PUBCOMP id=2"));
}

TEST_F(RoutingTest, DollarTopicsAreShieldedAndTheBrokersOwn) {
  s.subscribe("#:0");
  p.send("PUBLISH q=1 id=1 t=$SYS/x p=x");
  p.send("PUBLISH q=1 id=2 t=$mine p=x");
  EXPECT_THAT(p.take(), ElementsAre("PUBACK id=1 rc=0x87", "PUBACK id=2 rc=0x10"));
  EXPECT_THAT(s.take(), IsEmpty());
  EXPECT_EQ(rig.dropped(DropReason::publish_refused), 1u);
}

TEST_F(RoutingTest, AliasesAreUsedForReceiversThatTakeThem) {
  s.enter("id=s clean topic_alias_maximum=1");
  s.subscribe("#:0");
  for (const char* topic : {"a", "b", "a"}) p.send(fmt::format("PUBLISH t={} p=x", topic));
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 t=a p=x topic_alias=1", "PUBLISH q=0 id=0 t=b p=x",
                                    "PUBLISH q=0 id=0 t= p=x topic_alias=1"));
}

TEST(BrokerAccess, RefusedPublishBefore5IsDroppedOrDisconnects) {
  for (const bool disconnects : {false, true}) {
    BrokerConfig config;
    config.disconnect_refused_publisher = disconnects;
    Rig rig{config};
    rig.access.publish = {"secret"};
    Client five{rig}, old{rig, Version::v3_1_1}, s{rig};
    five.enter("id=five clean");
    old.enter("id=old clean");
    s.enter("id=s clean");
    s.subscribe("#:0");
    five.send("PUBLISH q=1 id=1 t=secret p=x");
    five.send("PUBLISH q=2 id=2 t=secret p=x");
    five.send("PUBLISH q=0 t=secret p=x");
    EXPECT_THAT(five.take(), ElementsAre("PUBACK id=1 rc=0x87", "PUBREC id=2 rc=0x87"));
    old.send("PUBLISH q=1 id=1 t=secret p=x");
    EXPECT_THAT(old.take(), ElementsAre(disconnects ? "closed" : "PUBACK id=1"));
    EXPECT_THAT(s.take(), IsEmpty());
    EXPECT_EQ(rig.dropped(DropReason::publish_refused), 4u);
  }
}

TEST_F(RoutingTest, DeniedSubscriptionsAndDeliveries) {
  rig.access.subscribe = {"no/#"};
  rig.access.receive = {"a/2"};
  s.send("SUBSCRIBE id=1 f=no/#:1 f=a/+:1 f=$share/g/no/#:1");
  EXPECT_THAT(s.take(), ElementsAre("SUBACK id=1 rc=0x87,0x01,0x87"));
  Client old{rig, Version::v3_1_1};
  old.enter("id=old clean");
  old.send("SUBSCRIBE id=1 f=no/#:1 f=b:2");
  EXPECT_THAT(old.take(), ElementsAre("SUBACK id=1 rc=0x80,0x02"));
  p.send("PUBLISH retain t=a/2 p=x");
  p.send("PUBLISH retain t=a/1 p=x");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 t=a/1 p=x"));
  EXPECT_EQ(rig.dropped(DropReason::not_authorized), 1u);
  s.subscribe("a/+:1");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 retain t=a/1 p=x"));
}

TEST_F(RoutingTest, UnavailableFeatures) {
  BrokerConfig config;
  config.wildcard_available = config.shared_available = config.retain_available = false;
  Rig without{config};
  Client five{without}, old{without, Version::v3_1_1};
  five.connect("id=five clean");
  EXPECT_THAT(five.take(),
              ElementsAre(testing::HasSubstr("retain_available=0 wildcard_subscription_available=0 "
                                             "shared_subscription_available=0")));
  five.send("SUBSCRIBE id=1 f=a/+:0");
  EXPECT_THAT(five.take(), ElementsAre("DISCONNECT rc=0xa2", "closed"));
  old.enter("id=old clean");
  old.send("SUBSCRIBE id=1 f=a/+:0 f=$share/g/a:0 f=a:0");
  EXPECT_THAT(old.take(), ElementsAre("SUBACK id=1 rc=0x80,0x80,0x00"));
  old.send("PUBLISH retain t=a p=x");
  EXPECT_THAT(old.take(), ElementsAre("PUBLISH q=0 id=0 t=a p=x"));
  EXPECT_EQ(without.counters().retained_messages, 0u);
}

TEST(BrokerLimits, TopicsSubscriptionsAndQos) {
  BrokerConfig config;
  config.limits.topic_levels = 2;
  config.limits.topic_length = 10;
  config.limits.subscriptions_per_client = 2;
  config.limits.subscriptions = 3;
  config.limits.maximum_qos = QoS::at_least_once;
  Rig rig{config};
  Client a{rig}, b{rig}, old{rig, Version::v3_1_1};
  a.enter("id=a clean");
  b.enter("id=b clean");
  old.enter("id=old clean");
  a.send("SUBSCRIBE id=1 f=1/2/3:0 f=12345678901:0 f=a:2 f=b:0 f=c:0 f=a:2");
  EXPECT_THAT(a.take(), ElementsAre("SUBACK id=1 rc=0x8f,0x8f,0x01,0x00,0x97,0x01"));
  b.send("SUBSCRIBE id=1 f=x:0 f=y:0");
  EXPECT_THAT(b.take(), ElementsAre("SUBACK id=1 rc=0x00,0x97"));
  a.send("PUBLISH q=1 id=1 t=1/2/3 p=x");
  EXPECT_THAT(a.take(), ElementsAre("PUBACK id=1 rc=0x90"));
  old.send("PUBLISH q=2 id=1 t=a p=x");
  EXPECT_THAT(a.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=x"));
  a.send("PUBLISH q=2 id=1 t=a p=x");
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0x9b", "closed"));
}

TEST(BrokerLimits, PacketsAreBounded) {
  BrokerConfig config;
  config.limits.packet_size = 200;
  Rig rig{config};
  Client a{rig}, old{rig, Version::v3_1_1};
  a.enter("id=a clean");
  a.send("PUBLISH t=a p=x*200");
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0x95", "closed"));
  old.enter("id=old clean");
  old.send("PUBLISH t=a p=x*200");
  EXPECT_THAT(old.take(), ElementsAre("closed"));
}

TEST_F(RoutingTest, ASubackThatDoesNotFitEndsTheConnection) {
  s.enter("id=s clean maximum_packet_size=100");
  std::string filters;
  for (int i = 0; i < 100; ++i) filters += fmt::format(" f=a{}:0", i);
  s.send("SUBSCRIBE id=1" + filters);
  EXPECT_THAT(s.take(), ElementsAre("DISCONNECT rc=0x83", "closed"));
}

struct RetainedTest : RoutingTest {
  std::vector<std::string> replay(std::string_view filter) {
    Client c{rig};
    c.enter("id=c clean");
    c.subscribe(filter);
    return c.take_messages();
  }
};

TEST_F(RetainedTest, Mqtt_3_3_1_5_IsSetReplacedAndCleared) {
  p.send("PUBLISH retain q=1 id=1 t=a p=1 content_type=t");
  p.send("PUBLISH retain t=a p=2 content_type=u");
  EXPECT_THAT(replay("a:1"), ElementsAre("PUBLISH q=0 id=0 retain t=a p=2 content_type=u"));
  EXPECT_EQ(rig.counters().retained_messages, 1u);
  p.send("PUBLISH retain t=a");
  EXPECT_THAT(replay("a:1"), IsEmpty());
  EXPECT_EQ(rig.counters().retained_messages, 0u);
  EXPECT_EQ(rig.counters().retained_bytes, 0u);
}

TEST_F(RetainedTest, AFilterThatMatchesLittleIsWalkedInPortions) {
  for (int i = 0; i < 50'000; ++i) p.queue(fmt::format("PUBLISH retain t=k/{} p=x", i));
  p.queue("PUBLISH retain t=k/last/of p=y");
  rig.run();
  EXPECT_THAT(replay("+/last/+:1"), ElementsAre("PUBLISH q=0 id=0 retain t=k/last/of p=y"));
  EXPECT_THAT(replay("+/+/none:1"), IsEmpty());
}

TEST_F(RetainedTest, Mqtt_3_3_1_11_RetainHandling) {
  p.send("PUBLISH retain t=a p=x");
  const std::string line = "PUBLISH q=0 id=0 retain t=a p=x";
  s.subscribe("a:0:rh2");
  EXPECT_THAT(s.take(), IsEmpty());
  s.subscribe("a:0:rh1");
  EXPECT_THAT(s.take(), IsEmpty());
  s.subscribe("a:0");
  EXPECT_THAT(s.take(), ElementsAre(line));
  s.send("UNSUBSCRIBE id=1 f=a");
  s.take();
  s.subscribe("a:0:rh1");
  EXPECT_THAT(s.take(), ElementsAre(line));
}

TEST_F(RetainedTest, ExpiresAndCountsDown) {
  p.send("PUBLISH retain t=a p=x message_expiry_interval=10");
  rig.advance(4s);
  EXPECT_THAT(replay("a"), ElementsAre("PUBLISH q=0 id=0 retain t=a p=x message_expiry_interval=6"));
  rig.advance(5999ms);
  EXPECT_EQ(rig.counters().retained_messages, 1u);
  rig.advance(1ms);
  EXPECT_EQ(rig.counters().retained_messages, 0u);
  EXPECT_THAT(rig.store.calls, Contains("retained a -"));
}

TEST_F(RetainedTest, AReplacementHasItsOwnExpiry) {
  p.send("PUBLISH retain t=a p=x message_expiry_interval=10");
  p.send("PUBLISH retain t=a p=y");
  rig.advance(11s);
  EXPECT_THAT(replay("a"), ElementsAre("PUBLISH q=0 id=0 retain t=a p=y"));
}

TEST_F(RetainedTest, NoLocalAndSharedSubscriptionsGetNone) {
  p.send("PUBLISH retain t=a p=x");
  p.subscribe("a:0:nl");
  EXPECT_THAT(p.take(), IsEmpty());
  EXPECT_THAT(replay("$share/g/a:0"), IsEmpty());
  EXPECT_THAT(replay("a:0:nl"), testing::SizeIs(1));
}

TEST_F(RetainedTest, AMessageWithIdentifierOnReplay) {
  p.send("PUBLISH retain q=2 id=1 t=a p=x");
  s.subscribe("a:1", "subscription_identifier=5");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=1 id=1 retain t=a p=x subscription_identifier=5"));
}

TEST(BrokerRetained, LimitsRefuseWhatIsNew) {
  BrokerConfig config;
  config.limits.retained_messages = 2;
  config.limits.retained_bytes = 1000;
  Rig rig{config};
  Client p{rig}, old{rig, Version::v3_1_1}, s{rig};
  p.enter("id=p clean");
  old.enter("id=old clean");
  s.enter("id=s clean");
  s.subscribe("#:0");
  p.send("PUBLISH retain q=1 id=1 t=a p=x");
  p.send("PUBLISH retain q=1 id=2 t=b p=x");
  s.take();
  p.take();
  p.send("PUBLISH retain q=1 id=3 t=c p=x");
  p.send("PUBLISH retain q=1 id=4 t=a p=y");
  p.send("PUBLISH retain q=1 id=5 t=a p=z*900");
  EXPECT_THAT(p.take(), ElementsAre("PUBACK id=3 rc=0x97", "PUBACK id=4", "PUBACK id=5 rc=0x97"));
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 t=a p=y"));
  p.send("PUBLISH retain t=d p=routed");
  old.send("PUBLISH retain q=1 id=1 t=d p=routed");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 t=d p=routed", "PUBLISH q=0 id=0 t=d p=routed"));
  EXPECT_EQ(rig.dropped(DropReason::retained_full), 2u);
  EXPECT_EQ(rig.dropped(DropReason::publish_refused), 2u);
  EXPECT_EQ(rig.counters().retained_messages, 2u);
  old.send("PUBLISH retain q=1 id=2 t=a p=z*900");  // cannot be told, and the old one is out of date
  EXPECT_EQ(rig.counters().retained_messages, 1u);
}

TEST(BrokerRetained, AReplayIsNeverTruncated) {
  constexpr int topics = 100'000;
  BrokerConfig config;
  config.limits.queued_messages = 4;
  config.limits.queued_bytes = 1000;
  config.limits.queued_bytes_total = 10'000;
  config.limits.write_backlog = 4096;
  Rig rig{config};
  Client p{rig}, s{rig}, q{rig};
  p.enter("id=p clean");
  for (int i = 0; i < topics; ++i)
    p.queue(fmt::format("PUBLISH retain q=1 id=1 t=r/{}/{} p={}", i % 100, i, i));
  rig.run();
  ASSERT_EQ(rig.counters().retained_messages, std::size_t{topics});
  s.enter("id=s clean");
  s.read(false);
  s.queue("SUBSCRIBE id=1 f=#:0");
  rig.run();
  EXPECT_LT(s.connection().output().size(), 2 * config.limits.write_backlog);
  s.read(true);
  rig.run();
  EXPECT_EQ(s.count("PUBLISH"), std::size_t{topics});
  q.enter("id=q clean receive_maximum=3");
  q.subscribe("#:1");
  EXPECT_EQ(q.count("PUBLISH"), std::size_t{topics});
  EXPECT_EQ(rig.dropped(), 0u);
}

TEST(BrokerRetained, AReplayMeetsChanges) {
  BrokerConfig config;
  config.limits.write_backlog = 1;
  Rig rig{config};
  Client p{rig}, s{rig};
  p.enter("id=p clean");
  for (int i = 0; i < 50; ++i) p.send(fmt::format("PUBLISH retain t=r/{:02} p=old", i));
  s.enter("id=s clean");
  s.read(false);
  s.queue("SUBSCRIBE id=1 f=r/#:0");
  rig.run();
  for (int i = 0; i < 50; i += 2) p.send(fmt::format("PUBLISH retain t=r/{:02} p=new", i));
  for (int i = 1; i < 50; i += 4) p.send(fmt::format("PUBLISH retain t=r/{:02}", i));
  s.read(true);
  rig.run();
  // Each topic's last value is its newest, and what was not touched came once.
  std::map<std::string, std::vector<std::string>> seen;
  for (const std::string& line : s.take_messages())
    if (const auto at = line.find("t="); line.starts_with("PUBLISH"))
      seen[line.substr(at + 2, 4)].push_back(line.substr(line.find("p=") + 2));
  for (int i = 0; i < 50; ++i) {
    const auto& values = seen[fmt::format("r/{:02}", i)];
    ASSERT_FALSE(values.empty()) << i;
    EXPECT_EQ(values.back(), i % 2 == 0 ? "new" : i % 4 == 1 ? "" : "old") << i;
    if (i % 4 == 3) {
      EXPECT_EQ(values.size(), 1u) << i;
    }
  }
}

TEST(BrokerRetained, AReplayEndsWithItsSubscriptionAndBeginsAnewOnce) {
  BrokerConfig config;
  config.limits.write_backlog = 1;
  Rig rig{config};
  Client p{rig}, s{rig};
  p.enter("id=p clean");
  for (int i = 0; i < 20; ++i) p.send(fmt::format("PUBLISH retain t=r/{} p=x", i));
  s.enter("id=s clean");
  s.read(false);
  for (int i = 1; i <= 10; ++i) s.queue(fmt::format("SUBSCRIBE id={} f=r/#:0", i));
  rig.run();
  s.read(true);
  rig.run();
  EXPECT_LE(s.count("PUBLISH"), 20u + 10u);
  s.take();
  s.read(false);
  s.queue("SUBSCRIBE id=1 f=r/#:0");
  s.queue("UNSUBSCRIBE id=2 f=r/#");
  rig.run();
  s.read(true);
  rig.run();
  EXPECT_LE(s.count("PUBLISH"), 1u);
}

/// A packet of packet identifier 1 without properties; lines of text would take too long for many filters.
std::string filters_packet(char type, std::span<const std::string> filters) {
  std::string body{"\0\1\0", 3};
  for (const std::string& filter : filters) {
    body += {static_cast<char>(filter.size() >> 8), static_cast<char>(filter.size() & 0xFF)};
    body += filter;
    if (type == '\x82') body += '\0';  // QoS 0
  }
  std::string head{type};
  std::size_t left = body.size();
  for (; left > 0x7F; left >>= 7) head += static_cast<char>(0x80 | (left & 0x7F));
  return head + static_cast<char>(left) + body;
}

/// Octets as they come: a Client's lines of text would take too long for many filters.
struct RawPeer final : Peer {
  using Peer::Peer;
  void send(std::string_view octets) {
    output += octets;
    rig().run();
  }
  std::string take_output(std::size_t size) override {
    std::string taken = output.substr(0, size);
    output.erase(0, taken.size());
    return taken;
  }
  void on_octets(Bytes octets) override { input += as_text(octets); }

  std::string output, input;
};

// Each filter once more while all the others still have their replay before them: a broker that looked
// through those would need minutes.
TEST(BrokerRetained, ManyFiltersInOnePacketCostAsMuchEach) {
  using namespace std::string_view_literals;
  BrokerConfig config;
  config.limits.write_backlog = 1;
  Rig rig{config};
  Client p{rig};
  RawPeer s{rig};
  p.enter("id=p clean");
  p.send("PUBLISH retain t=r p=x");
  s.open();
  s.send("\x10\x0E\0\4MQTT\5\2\0\0\0\0\1s"sv);
  s.read(false);
  std::vector<std::string> filters;
  for (int i = 1; i < 20'000; ++i) filters.push_back(fmt::format("{}", i));
  filters.push_back("r");
  s.send(filters_packet('\x82', filters));
  EXPECT_EQ(rig.counters().subscriptions, filters.size());
  s.send(filters_packet('\x82', std::vector<std::string>(100'000, "r")));
  filters.pop_back();
  s.send(filters_packet('\xA2', filters));
  EXPECT_EQ(rig.counters().subscriptions, 1u);
  s.read(true);
  rig.run();
  const std::size_t message = s.input.find("\0\1r\0x"sv);
  ASSERT_NE(message, std::string::npos);
  EXPECT_EQ(s.input.find("\0\1r\0x"sv, message + 1), std::string::npos);
}

struct ShareTest : RoutingTest {
  void SetUp() override {
    RoutingTest::SetUp();
    a.enter("id=a clean session_expiry_interval=100");
    b.enter("id=b clean session_expiry_interval=100");
  }
  void publish(int first, int last, int qos = 1) {
    for (int i = first; i <= last; ++i)
      p.send(fmt::format("PUBLISH q={} {} t=t p={}", qos, qos > 0 ? fmt::format("id={}", i) : "", i));
  }
  Client a{rig}, b{rig};
};

TEST_F(ShareTest, MembersTakeTurns) {
  a.subscribe("$share/g/t:1");
  b.subscribe("$share/g/t:1");
  s.subscribe("$share/other/t:0", "subscription_identifier=3");
  s.subscribe("t:0");
  publish(1, 10);
  EXPECT_EQ(a.count("PUBLISH"), 5u);
  EXPECT_EQ(b.count("PUBLISH"), 5u);
  EXPECT_EQ(s.count("PUBLISH"), 20u);
  EXPECT_EQ(p.count("PUBACK"), 10u);
}

TEST_F(ShareTest, WhoeverCannotTakeItIsPassedOver) {
  a.subscribe("$share/g/t:1");
  b.subscribe("$share/g/t:1");
  a.cut();
  publish(1, 4);
  EXPECT_EQ(b.count("PUBLISH"), 4u);
  EXPECT_EQ(rig.counters().queued_messages, 0u);
}

TEST_F(ShareTest, WhatWaitedGoesToTheOthersWhenAMemberUnsubscribes) {
  a.subscribe("$share/g/t:1");
  a.cut();
  publish(1, 3);
  b.subscribe("$share/g/t:0");
  EXPECT_EQ(b.count("PUBLISH"), 0u);
  a.acknowledges = false;
  a.enter("id=a session_expiry_interval=100 receive_maximum=1");
  // One is in flight and stays; two wait.
  a.send("UNSUBSCRIBE id=1 f=$share/g/t");
  EXPECT_THAT(b.take(), ElementsAre("PUBLISH q=0 id=0 t=t p=2", "PUBLISH q=0 id=0 t=t p=3"));
  a.cut();
  a.enter("id=a");
  EXPECT_THAT(a.take(), ElementsAre("PUBLISH q=1 id=1 dup t=t p=1"));
}

TEST_F(ShareTest, Mqtt_4_8_2_5_InFlightQos1GoesToAnotherWhenTheSessionEndsQos2DoesNot) {
  a.acknowledges = false;
  a.subscribe("$share/g/t:2");
  p.send("PUBLISH q=1 id=1 t=t p=one message_expiry_interval=50");
  p.send("PUBLISH q=2 id=2 t=t p=two");
  b.subscribe("$share/g/t:2", "subscription_identifier=4");
  EXPECT_EQ(a.count("PUBLISH"), 2u);
  a.cut();
  rig.advance(40s);
  EXPECT_EQ(b.count("PUBLISH"), 0u);
  a.enter("id=a session_expiry_interval=5");
  a.cut();
  rig.advance(5s);
  EXPECT_THAT(b.take(), ElementsAre("PUBLISH q=1 id=1 t=t p=one message_expiry_interval=5 "
                                    "subscription_identifier=4"));
}

TEST_F(ShareTest, AnExpiredOneIsDroppedThen) {
  a.acknowledges = false;
  a.subscribe("$share/g/t:2");
  p.send("PUBLISH q=1 id=1 t=t p=one message_expiry_interval=50");
  b.subscribe("$share/g/t:2");
  a.cut();
  rig.advance(100s);
  EXPECT_EQ(rig.counters().sessions, 3u);
  EXPECT_THAT(b.take(), IsEmpty());
  EXPECT_EQ(rig.dropped(DropReason::expired), 1u);
}

TEST_F(ShareTest, WithoutAnybodyLeftWhatWaitedIsDroppedAndCounted) {
  a.subscribe("$share/g/t:1");
  a.cut();
  publish(1, 3);
  EXPECT_EQ(rig.counters().queued_messages, 3u);
  rig.advance(100s);
  EXPECT_EQ(rig.counters().queued_messages, 0u);
  EXPECT_EQ(rig.dropped(DropReason::session_ended), 3u);
}

}  // namespace
}  // namespace mqtt::test
