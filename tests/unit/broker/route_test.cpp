// What may be routed past the broker, and until when.
#include <mqtt/broker/route.hpp>

#include <fmt/format.h>

#include "queue_test.hpp"
#include "routing_test.hpp"

namespace mqtt::test {
namespace {

using broker::Route;
using broker::RouteTable;
using broker::RouteValidity;
using broker::SlowConsumer;

std::optional<Route> find_route(Client& publisher, Rig& rig, std::string_view topic = "t") {
  return rig.broker.find_route(rig.now, publisher.connection(), topic);
}

bool leads_to(const Route& route, Client& receiver) {
  return std::ranges::any_of(route.receivers, [&](const Route::Receiver& each) {
    return static_cast<Transport*>(each.owner)->connection == &receiver.connection();
  });
}

struct RouteTest : RoutingTest {
  [[nodiscard]] std::optional<Route> find(std::string_view topic = "t") { return find_route(p, rig, topic); }
  /// Of a route that is there.
  [[nodiscard]] RouteValidity validity(std::string_view topic = "t") {
    const auto route = find(topic);
    EXPECT_TRUE(route) << topic;
    if (!route) return std::make_shared<std::atomic<bool>>(false);
    EXPECT_TRUE(*route->valid);
    return route->valid;
  }
};

TEST_F(RouteTest, LeadsToAllThatHaveSubscribed) {
  Client old{rig, Version::v3_1_1};
  old.enter("id=old clean");
  old.subscribe("+:1");
  s.subscribe("t:0");
  s.subscribe("#:2");
  const auto route = find();
  ASSERT_TRUE(route);
  EXPECT_TRUE(*route->valid);
  EXPECT_EQ(route->version, Version::v5);
  ASSERT_EQ(route->receivers.size(), 2u);
  EXPECT_TRUE(leads_to(*route, old));
  EXPECT_TRUE(leads_to(*route, s));
  for (const Route::Receiver& each : route->receivers) {
    const bool is_old = static_cast<Transport*>(each.owner)->connection == &old.connection();
    EXPECT_EQ(each.version, is_old ? Version::v3_1_1 : Version::v5);
  }
}

TEST_F(RouteTest, LeadsToNobodyWhereNobodyListens) {
  s.subscribe("u:0");
  const auto route = find();
  ASSERT_TRUE(route);
  EXPECT_TRUE(route->receivers.empty());
}

TEST_F(RouteTest, LeadsToThePublisherItselfUnlessItWantsNone) {
  p.subscribe("t:0");
  ASSERT_TRUE(find());
  EXPECT_TRUE(leads_to(*find(), p));
  p.subscribe("t:0:nl");
  ASSERT_TRUE(find());
  EXPECT_TRUE(find()->receivers.empty());
  const auto of_another = find_route(s, rig);
  ASSERT_TRUE(of_another);
  EXPECT_TRUE(leads_to(*of_another, p));
}

TEST_F(RouteTest, TakesTheSmallestOfAllPacketSizes) {
  ASSERT_TRUE(find());
  EXPECT_EQ(find()->packet_size_max, rig.config.limits.packet_size);
  s.enter("id=s clean maximum_packet_size=100");
  s.subscribe("t:0");
  p.enter("id=p clean maximum_packet_size=50");
  ASSERT_TRUE(find());
  EXPECT_EQ(find()->packet_size_max, 100u) << "what the publisher takes is no matter";
}

TEST_F(RouteTest, NoneForTopicsThatAreNoneOrTheBrokersOwn) {
  for (const char* const topic : {"", "+", "a/#", "\xC0\x80", "$SYS/broker", "$own"})
    EXPECT_FALSE(find(topic)) << topic;
  EXPECT_FALSE(find(std::string_view("a\0b", 3)));
  p.send("PUBLISH retain t=t p=x");
  EXPECT_TRUE(find()) << "a message that is retained there is no matter";
}

TEST_F(RouteTest, NoneForWhoMayNotPublishThere) {
  rig.access.publish.insert("t");
  EXPECT_FALSE(find());
  EXPECT_TRUE(find("u"));
}

TEST_F(RouteTest, NoneForWhoIsNotConnected) {
  Client nobody{rig};
  nobody.open();
  rig.run();
  EXPECT_FALSE(find_route(nobody, rig));
  rig.broker.disconnect(rig.now, "p", ReasonCode::administrative_action);
  EXPECT_FALSE(find()) << "it is about to be closed";
}

TEST_F(RouteTest, NoneWithAGroup) {
  s.subscribe("$share/g/t:0");
  EXPECT_FALSE(find());
  EXPECT_TRUE(find("u"));
}

TEST_F(RouteTest, NoneWithASubscriptionIdentifier) {
  s.subscribe("t:0", "subscription_identifier=7");
  EXPECT_FALSE(find());
  s.subscribe("t:0");
  EXPECT_TRUE(find());
}

TEST_F(RouteTest, NoneToWhoIsAway) {
  s.enter("id=s clean session_expiry_interval=100");
  s.subscribe("t:0");
  s.cut();
  rig.run();
  EXPECT_FALSE(find());
  s.enter("id=s");
  EXPECT_TRUE(find());
}

TEST_F(RouteTest, NoneToWhoIsAboutToBeClosed) {
  s.subscribe("t:0");
  s.read(false);
  rig.broker.disconnect(rig.now, "s", ReasonCode::administrative_action);
  const auto route = find();
  EXPECT_TRUE(!route || route->receivers.empty());
}

TEST_F(RouteTest, NoneToWhoMayNotReceiveIt) {
  s.subscribe("#:0");
  rig.access.receive.insert("t");
  EXPECT_FALSE(find());
  EXPECT_TRUE(find("u"));
}

TEST_F(RouteTest, NoneWhileOutputWaits) {
  s.subscribe("t:0");
  s.read(false);
  p.send("PUBLISH t=t p=x");
  EXPECT_FALSE(find());
  s.read(true);
  rig.run();
  EXPECT_TRUE(find());
}

TEST_F(RouteTest, NoneWhileAReplayGoesOn) {
  Rig small{small_queues()};
  Client publisher{small}, reader{small};
  publisher.enter("id=p clean");
  for (int i = 1; i <= 5; ++i) publisher.send(fmt::format("PUBLISH q=1 id={} retain t=r/{} p=x", i, i));
  reader.acknowledges = false;
  reader.enter("id=r clean");
  reader.subscribe("t:0");
  EXPECT_TRUE(find_route(publisher, small));
  reader.subscribe("r/#:1");
  EXPECT_FALSE(find_route(publisher, small));
  reader.acknowledges = true;
  for (int i = 1; i <= 2; ++i) reader.send(fmt::format("PUBACK id={}", i));
  EXPECT_TRUE(find_route(publisher, small));
}

TEST_F(RouteTest, NoneWhileMessagesAreQueuedOrThePublisherWaits) {
  Pair pair{small_queues()};
  EXPECT_TRUE(find_route(pair.p, pair.rig));
  pair.publish(1, 3);
  EXPECT_FALSE(find_route(pair.p, pair.rig)) << "one is queued";
  EXPECT_TRUE(find_route(pair.p, pair.rig, "elsewhere"));
  pair.publish(4, 10);
  Client other{pair.rig};
  other.enter("id=other clean");
  EXPECT_FALSE(find_route(pair.p, pair.rig, "elsewhere")) << "it waits for the reader";
  EXPECT_TRUE(find_route(other, pair.rig, "elsewhere"));
  EXPECT_FALSE(find_route(other, pair.rig)) << "the reader is slow";
  pair.catch_up();
  EXPECT_TRUE(find_route(pair.p, pair.rig));
  EXPECT_TRUE(find_route(pair.p, pair.rig, "elsewhere"));
}

TEST_F(RouteTest, NoneForOrToWhoIsWatched) {
  struct Silent final : PacketObserver {
    void on_packet_sent(const PacketView&) override {}
    void on_packet_received(const PacketView&) override {}
  } observer;
  s.subscribe("t:0");
  ASSERT_TRUE(find());
  s.connection().set_observer(observer);
  EXPECT_FALSE(find());
  EXPECT_TRUE(find("u"));
  p.connection().set_observer(observer);
  EXPECT_FALSE(find("u"));
}

TEST_F(RouteTest, NoneWhereSlowConsumersAreWaitedForOrDisconnected) {
  for (const SlowConsumer policy : {SlowConsumer::stall, SlowConsumer::disconnect, SlowConsumer::drop}) {
    Rig other{small_queues(policy)};
    Client publisher{other};
    publisher.enter("id=p clean");
    EXPECT_EQ(find_route(publisher, other).has_value(), policy == SlowConsumer::drop);
  }
}

TEST_F(RouteTest, NoneWhereEachMessageIsToBeToldOf) {
  rig.events.hears_messages = true;
  EXPECT_FALSE(find());
}

TEST_F(RouteTest, EndsWithASubscriptionThatMatches) {
  for (const char* const filter :
       {"t/u:0", "t/+:0", "+/u:0", "#:0", "t/#:1", "t/u/#:0", "$share/g/t/u:0", "$share/g/#:0", "t/u:0:nl"}) {
    const RouteValidity valid = validity("t/u");
    s.subscribe(filter);
    EXPECT_FALSE(*valid) << filter;
    s.send(fmt::format("UNSUBSCRIBE id=9 f={}",
                       std::string_view{filter}.substr(0, std::string_view{filter}.find(':'))));
    s.take();
  }
}

TEST_F(RouteTest, DoesNotEndWithOthers) {
  s.subscribe("t:0");
  const RouteValidity valid = validity();
  Client other{rig};
  other.enter("id=other clean");
  for (const char* const filter : {"u:0", "t/+:0", "+/t:0", "$share/g/u:0", "$SYS/#:0", "/t:0", "T:0"})
    other.subscribe(filter);
  other.send("UNSUBSCRIBE id=9 f=u");
  other.send("UNSUBSCRIBE id=9 f=t");
  other.cut();
  rig.run();
  EXPECT_TRUE(*valid);
  EXPECT_EQ(valid, validity());
}

TEST_F(RouteTest, EndsWithASubscriptionThatIsReplaced) {
  s.subscribe("t:0");
  const RouteValidity valid = validity();
  s.subscribe("t:0", "subscription_identifier=1");
  EXPECT_FALSE(*valid);
  EXPECT_FALSE(find());
}

TEST_F(RouteTest, EndsWhenAReceiverUnsubscribes) {
  for (const char* const filter : {"t", "+", "#"}) {
    s.subscribe(fmt::format("{}:0", filter));
    const RouteValidity valid = validity();
    s.send(fmt::format("UNSUBSCRIBE id=9 f={}", filter));
    s.take();
    EXPECT_FALSE(*valid) << filter;
    ASSERT_TRUE(find());
    EXPECT_TRUE(find()->receivers.empty());
  }
}

TEST_F(RouteTest, EndsWhenAReceiverGoes) {
  s.subscribe("+:0");
  const RouteValidity left = validity();
  s.send("DISCONNECT");
  EXPECT_FALSE(*left);
  s.enter("id=s clean session_expiry_interval=100");
  s.subscribe("+:0");
  const RouteValidity broken = validity();
  s.cut();
  rig.run();
  EXPECT_FALSE(*broken);
  s.enter("id=s session_expiry_interval=100");
  const RouteValidity taken_over = validity();
  Client another{rig};
  another.enter("id=s session_expiry_interval=100");
  EXPECT_FALSE(*taken_over);
  const auto route = find();
  ASSERT_TRUE(route);
  EXPECT_TRUE(leads_to(*route, another));
  rig.broker.disconnect(rig.now, "s", ReasonCode::administrative_action);
  EXPECT_FALSE(*route->valid) << "before anything is written";
}

/// What it may receive goes by who it is.
TEST_F(RouteTest, EndsWhenAReceiverAuthenticatesAnew) {
  Client r{rig};
  r.connect("id=r clean authentication_method=rounds authentication_data=one");
  r.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  r.take();
  r.subscribe("t:0");
  const RouteValidity valid = validity();
  rig.access.receive.insert("t");
  r.send("AUTH rc=0x19 authentication_method=rounds");
  r.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  ASSERT_TRUE(r.is_open());
  EXPECT_FALSE(*valid);
  EXPECT_FALSE(find());
}

TEST_F(RouteTest, EndsWhenOneOfManySubscriptionsGoes) {
  for (int i = 0; i < 100; ++i) s.subscribe(fmt::format("topic/{}:0", i));
  const RouteValidity valid = validity("topic/77");
  s.cut();
  rig.run();
  EXPECT_FALSE(*valid);
}

TEST_F(RouteTest, OutlivesThePublisher) {
  s.subscribe("t:0");
  Client other{rig};
  other.enter("id=other clean");
  const RouteValidity valid = validity();
  EXPECT_EQ(find_route(other, rig)->valid, valid) << "one for all that publish there";
  p.cut();
  rig.run();
  EXPECT_TRUE(*valid);
}

TEST_F(RouteTest, AllEndAtOnce) {
  const RouteValidity one = validity("a"), other = validity("b");
  EXPECT_NE(one, other);
  rig.broker.end_routes();
  EXPECT_FALSE(*one);
  EXPECT_FALSE(*other);
  EXPECT_NE(validity("a"), one) << "what has ended does not begin again";
}

TEST_F(RouteTest, EndedByWhoRoutesItIsFoundAnew) {
  const RouteValidity ended = validity();
  ended->store(false);
  EXPECT_NE(validity(), ended);
  EXPECT_FALSE(*ended);
}

TEST_F(RouteTest, WhatWentPastTheBrokerIsCounted) {
  const broker::Counters before = rig.counters();
  rig.broker.note_routed({.received = 3,
                          .received_bytes = 100,
                          .received_payload_bytes = 70,
                          .sent = 6,
                          .sent_bytes = 200,
                          .sent_payload_bytes = 140});
  const broker::Counters& after = rig.counters();
  EXPECT_EQ(after.messages_routed, before.messages_routed + 3);
  EXPECT_EQ(after.messages_received, before.messages_received + 3);
  EXPECT_EQ(after.packets_received, before.packets_received + 3);
  EXPECT_EQ(after.bytes_received, before.bytes_received + 100);
  EXPECT_EQ(after.payload_bytes_received, before.payload_bytes_received + 70);
  EXPECT_EQ(after.messages_sent, before.messages_sent + 6);
  EXPECT_EQ(after.packets_sent, before.packets_sent + 6);
  EXPECT_EQ(after.bytes_sent, before.bytes_sent + 200);
  EXPECT_EQ(after.payload_bytes_sent, before.payload_bytes_sent + 140);
}

/// Whether those who routed it tell of it as sent before that or later, no counter goes back.
TEST_F(RouteTest, WhatWasDroppedElsewhereWasNotSent) {
  const broker::Counters before = rig.counters();
  rig.broker.note_routed({.sent = 1, .sent_bytes = 10, .sent_payload_bytes = 7});
  rig.broker.note_dropped(rig.now, &s.connection(), {.sent = 3, .sent_bytes = 30, .sent_payload_bytes = 21});
  rig.broker.note_dropped(rig.now, nullptr, {.sent = 1, .sent_bytes = 10, .sent_payload_bytes = 7});
  const broker::Counters& now = rig.counters();
  EXPECT_EQ(now.messages_sent, before.messages_sent + 1);
  EXPECT_EQ(rig.dropped(broker::DropReason::memory_full), 4u);
  rig.broker.note_routed({.sent = 2, .sent_bytes = 20, .sent_payload_bytes = 14});
  EXPECT_EQ(now.messages_sent, before.messages_sent + 1);
  rig.broker.note_routed({.sent = 5, .sent_bytes = 50, .sent_payload_bytes = 35});
  EXPECT_EQ(now.messages_sent, before.messages_sent + 4);
  EXPECT_EQ(now.packets_sent, before.packets_sent + 4);
  EXPECT_EQ(now.bytes_sent, before.bytes_sent + 40);
  EXPECT_EQ(now.payload_bytes_sent, before.payload_bytes_sent + 28);
  const auto told = std::ranges::count(rig.events.lines, std::string{"dropped s memory_full 3"});
  EXPECT_EQ(told, 1) << testing::PrintToString(rig.events.lines);
}

/// What waits with others is in no account of memory.
TEST_F(RouteTest, NoneWhileMemoryIsShort) {
  broker::BrokerConfig config;
  config.limits.memory = 100'000;
  Rig small{config};
  Client publisher{small}, away{small};
  publisher.enter("id=p clean");
  away.enter("id=away clean");
  away.subscribe("much:0");
  away.read(false);
  const auto route = find_route(publisher, small);
  ASSERT_TRUE(route);
  for (int i = 0; i < 1000 && !small.broker.memory_is_short(); ++i) publisher.send("PUBLISH t=much p=x*3000");
  ASSERT_TRUE(small.broker.memory_is_short());
  EXPECT_FALSE(*route->valid);
  EXPECT_FALSE(find_route(publisher, small));
  away.read(true);
  small.run();
  EXPECT_TRUE(find_route(publisher, small));
}

TEST_F(RouteTest, WhoWasHeardElsewhereIsNotSilent) {
  p.enter("id=p clean ka=10");
  rig.advance(14s);
  rig.broker.note_heard(p.connection(), rig.now);
  rig.advance(14s);
  EXPECT_TRUE(p.is_open());
  rig.broker.note_heard(p.connection(), rig.now - 20s);
  EXPECT_TRUE(p.is_open());
  p.send("PINGREQ");
  rig.broker.note_heard(p.connection(), rig.now - 14s);
  rig.advance(14s);
  EXPECT_TRUE(p.is_open()) << "what was heard before does not count against it";
  rig.advance(1s);
  EXPECT_FALSE(p.is_open());
}

TEST(RouteTable, ForgetsTopicsThatNobodyRoutes) {
  RouteTable table{SipKey{1}};
  EXPECT_TRUE(table.empty());
  const RouteValidity used = table.validity_of("used");
  const std::weak_ptr<std::atomic<bool>> unused = table.validity_of("unused");
  EXPECT_FALSE(unused.expired());
  for (int i = 0; i < 1000; ++i) (void)table.validity_of(fmt::format("topic {}", i));
  EXPECT_TRUE(unused.expired());
  EXPECT_EQ(table.validity_of("used"), used);
  EXPECT_TRUE(*used);
}

/// Else one client with many filters would keep the loop busy for all.
TEST(RouteTable, ComparesNoMoreThanItsTopicsPayFor) {
  RouteTable table{SipKey{1}};
  std::vector<RouteValidity> used;
  for (int i = 0; i < 1000; ++i) used.push_back(table.validity_of(fmt::format("topic/{}", i)));
  for (int i = 0; i < 50; ++i) table.end_matching("+/other");
  EXPECT_TRUE(std::ranges::all_of(used, [](const RouteValidity& each) { return each->load(); }));
  for (int i = 0; i < 50; ++i) table.end_matching("+/other");
  EXPECT_TRUE(std::ranges::none_of(used, [](const RouteValidity& each) { return each->load(); }));
  const RouteValidity again = table.validity_of("topic/1");
  table.end_matching("+/other");
  EXPECT_TRUE(*again);
}

TEST(RouteTable, EndsWhatMatches) {
  RouteTable table{SipKey{1}};
  const RouteValidity a = table.validity_of("a"), b = table.validity_of("a/b"), c = table.validity_of("c");
  table.end_matching("d");
  table.end_matching("a/b/c");
  EXPECT_TRUE(*a && *b && *c);
  table.end_matching("$share/name/a/+");
  EXPECT_TRUE(*a && !*b && *c);
  EXPECT_NE(table.validity_of("a/b"), b);
  table.end_matching("#");
  EXPECT_TRUE(!*a && !*b && !*c);
  EXPECT_TRUE(table.empty());
  const RouteValidity again = table.validity_of("a");
  table.end_all();
  EXPECT_FALSE(*again);
  EXPECT_TRUE(table.empty());
}

}  // namespace
}  // namespace mqtt::test
