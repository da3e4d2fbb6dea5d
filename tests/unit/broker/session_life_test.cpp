// Sessions: take-over, expiry, clean start; who may come in; what the store is told.
#include "broker_test.hpp"

#include <fmt/format.h>

namespace mqtt::test {
namespace {

using broker::BrokerConfig;
using broker::DropReason;

BrokerConfig with_limits(auto change) {
  BrokerConfig config;
  change(config.limits);
  return config;
}

constexpr std::string_view kept = "session_expiry_interval=60";

TEST(BrokerConnect, AnnouncesItsLimits) {
  Rig rig{with_limits([](broker::Limits& limits) {
    limits.receive_maximum = 7;
    limits.packet_size = 1000;
    limits.topic_alias_maximum = 3;
    limits.maximum_qos = QoS::at_least_once;
    limits.keep_alive_maximum = 30;
    limits.session_expiry_maximum = 100;
  })};
  Client a{rig};
  a.connect("id=a clean ka=60 session_expiry_interval=1000");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK maximum_packet_size=1000 session_expiry_interval=100 "
                                    "server_keep_alive=30 receive_maximum=7 topic_alias_maximum=3 "
                                    "maximum_qos=1"));
}

TEST(BrokerConnect, KeepAlive0BecomesTheMaximum) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.keep_alive_maximum = 30; })};
  Client a{rig};
  a.connect("id=a clean ka=0");
  EXPECT_THAT(a.take(), ElementsAre(testing::HasSubstr("server_keep_alive=30")));
  rig.advance(44999ms);
  EXPECT_TRUE(a.is_open());
  rig.advance(1ms);
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0x8d", "closed"));
}

TEST(BrokerConnect, AssignsDifferentClientIds) {
  Rig rig;
  Client a{rig}, b{rig}, old{rig, Version::v3_1_1};
  a.connect("clean");
  b.connect("clean");
  old.connect("clean");
  const auto first = a.take(), second = b.take();
  EXPECT_THAT(first, ElementsAre(testing::HasSubstr("assigned_client_identifier=mq-")));
  EXPECT_NE(first, second);
  EXPECT_THAT(old.take(), ElementsAre("CONNACK"));
  EXPECT_EQ(rig.counters().sessions, 3u);
}

TEST(BrokerConnect, GivesAnswersAPlace) {
  Rig rig;
  Client a{rig}, b{rig};
  a.connect("id=a clean request_response_information=1");
  b.connect("id=b clean request_response_information=1");
  const auto first = a.take();
  EXPECT_THAT(first, ElementsAre(testing::HasSubstr("response_information=response/")));
  EXPECT_NE(first, b.take());
  a.cut();
  a.connect("id=a clean request_response_information=1");
  EXPECT_EQ(a.take(), first);
}

TEST(BrokerConnect, RefusesByReasonCode) {
  Rig rig;
  Client a{rig}, old{rig, Version::v3_1_1};
  a.connect("id=a clean user=bad");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x86", "closed"));
  old.connect("id=b clean user=bad");
  EXPECT_THAT(old.take(), ElementsAre("CONNACK rc=0x86", "closed"));
  EXPECT_EQ(rig.counters().connections_refused, 2u);
  EXPECT_EQ(rig.counters().sessions, 0u);
  EXPECT_THAT(rig.events.lines, ElementsAre("refused 2/0x86", "refused 2/0x86"));
}

TEST(BrokerConnect, SilenceIsRefusedInTime) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.connect_timeout = 3s; })};
  Client a{rig};
  a.open();
  rig.advance(2999ms);
  EXPECT_TRUE(a.is_open());
  rig.advance(1ms);
  EXPECT_FALSE(a.is_open());
  EXPECT_EQ(rig.counters().connections_refused, 1u);
  EXPECT_EQ(rig.counters().connections, 0u);
}

TEST(BrokerConnect, TooLargeAConnectIsCutOff) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.connect_packet_size = 100; })};
  Client a{rig};
  a.connect("id=a clean will=t willp=u*100");
  EXPECT_EQ(a.count("CONNACK rc=0x00"), 0u);
  EXPECT_FALSE(a.is_open());
}

TEST(BrokerConnect, SessionsAreLimited) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.sessions = 2; })};
  Client a{rig}, b{rig}, c{rig}, old{rig, Version::v3_1_1};
  a.enter("id=a clean");
  b.enter(fmt::format("id=b clean {}", kept));
  c.connect("id=c clean");
  EXPECT_THAT(c.take(), ElementsAre("CONNACK rc=0x97", "closed"));
  old.connect("id=d clean");
  EXPECT_THAT(old.take(), Contains("closed"));
  b.cut();
  b.connect("id=b");  // its session counts already
  EXPECT_THAT(b.take(), Contains(StartsWith("CONNACK sp")));
}

TEST(BrokerConnect, ACheckedWillIsOneThatMayBePublished) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.topic_levels = 3; })};
  rig.access.publish = {"secret"};
  Client a{rig};
  for (const std::string topic : {"secret", "$SYS/x"}) {
    a.connect(fmt::format("id=a clean will={}", topic));
    EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x87", "closed")) << topic;
  }
  a.connect("id=a clean will=1/2/3/4");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x90", "closed"));
  EXPECT_EQ(rig.counters().sessions, 0u);
}

TEST(BrokerConnect, AConnackThatDoesNotFitLeavesNothingBehind) {
  Rig rig;
  Client a{rig};
  a.connect("id=a clean session_expiry_interval=60 maximum_packet_size=4");
  EXPECT_THAT(a.take(), ElementsAre("closed"));
  EXPECT_EQ(rig.counters().sessions, 0u);
  EXPECT_THAT(rig.events.lines, Not(Contains(StartsWith("disconnected"))));
}

TEST(BrokerConnect, AConnackThatDoesNotFitLeavesTheSessionAsItWas) {
  for (const std::string_view clean : {"", " clean"}) {
    Rig rig;
    Client w{rig}, a{rig}, p{rig};
    w.enter("id=w clean");
    w.subscribe("will/#");
    a.enter(fmt::format("id=a clean user=al {} will=will/a willp=gone will.will_delay_interval=5", kept));
    a.subscribe("t:1");
    a.cut();
    a.connect(fmt::format("id=a{} maximum_packet_size=4 session_expiry_interval=1", clean));
    EXPECT_FALSE(a.is_open());
    EXPECT_EQ(a.take().back(), "closed");
    rig.advance(4999ms);
    EXPECT_THAT(w.take(), IsEmpty()) << "neither published at once nor begun anew";
    rig.advance(1ms);
    EXPECT_THAT(w.take(), ElementsAre("PUBLISH q=0 id=0 t=will/a p=gone")) << "[MQTT-3.1.2-8]";
    p.enter("id=p clean");
    p.send("PUBLISH q=1 id=1 t=t p=1");
    rig.advance(54s);
    a.connect("id=a");
    EXPECT_THAT(a.take(), ElementsAre(StartsWith("CONNACK sp"), "PUBLISH q=1 id=1 t=t p=1"));
  }
}

TEST(BrokerConnect, AConnackThatDoesNotFitTakesNothingOver) {
  for (const std::string_view clean : {"", " clean"}) {
    Rig rig;
    Client a{rig}, again{rig};
    a.enter(fmt::format("id=a clean user=al {}", kept));
    again.connect(fmt::format("id=a{} user=bo maximum_packet_size=4", clean));
    EXPECT_THAT(again.take(), ElementsAre("closed"));
    a.send("PINGREQ");
    EXPECT_THAT(a.take(), ElementsAre("PINGRESP"));
    a.cut();
    EXPECT_THAT(rig.events.lines,
                ElementsAre("connected a user=al", StartsWith("refused"), StartsWith("disconnected a")));
  }
}

TEST(BrokerTakeOver, Mqtt_3_1_4_3_TheOlderConnectionIsTold) {
  Rig rig;
  Client a{rig}, again{rig}, old{rig, Version::v3_1_1};
  a.enter("id=a clean");
  again.connect("id=a clean");
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0x8e", "closed"));
  EXPECT_THAT(again.take(), ElementsAre(StartsWith("CONNACK")));
  old.enter("id=a clean");
  EXPECT_THAT(again.take(), ElementsAre("DISCONNECT rc=0x8e", "closed"));
  EXPECT_EQ(rig.counters().sessions, 1u);
  EXPECT_EQ(rig.counters().connections, 1u);
}

TEST(BrokerTakeOver, TheSessionGoesOnWithWhatWasInFlight) {
  Rig rig;
  Client a{rig}, again{rig}, p{rig};
  a.enter(fmt::format("id=a clean {} receive_maximum=2", kept));
  a.subscribe("t:2");
  a.acknowledges = false;
  p.enter("id=p clean");
  for (const int i : {1, 2, 3}) p.send(fmt::format("PUBLISH q=1 id={} t=t p={}", i, i));
  EXPECT_THAT(a.take(), ElementsAre("PUBLISH q=1 id=1 t=t p=1", "PUBLISH q=1 id=2 t=t p=2"));
  again.connect("id=a receive_maximum=2");
  EXPECT_THAT(again.take(), ElementsAre(StartsWith("CONNACK sp"), "PUBLISH q=1 id=1 dup t=t p=1",
                                        "PUBLISH q=1 id=2 dup t=t p=2", "PUBLISH q=1 id=3 t=t p=3"));
}

TEST(BrokerTakeOver, DuringFanOutEachGetsWhatIsItsOwn) {
  Rig rig;
  Client a{rig}, again{rig}, p{rig};
  a.enter(fmt::format("id=a clean {}", kept));
  a.subscribe("t:1");
  p.enter("id=p clean");
  a.read(false);
  p.queue("PUBLISH q=1 id=1 t=t p=1");
  p.queue("PUBLISH q=0 t=t p=2");
  rig.run();
  again.connect("id=a");
  p.send("PUBLISH q=0 t=t p=3");
  EXPECT_THAT(again.take(), ElementsAre(StartsWith("CONNACK sp"), "PUBLISH q=1 id=1 dup t=t p=1",
                                        "PUBLISH q=0 id=0 t=t p=3"));
  EXPECT_FALSE(a.is_open());
}

TEST(BrokerTakeOver, OfAPublisherWhoseInputIsPaused) {
  auto config = with_limits([](broker::Limits& limits) {
    limits.queued_messages = 4;
    limits.in_flight = 1;
  });
  config.slow_consumer = broker::SlowConsumer::stall;
  Rig rig{config};
  Client r{rig}, p{rig}, again{rig};
  r.enter("id=r clean");
  r.subscribe("t:1");
  r.acknowledges = false;
  p.enter("id=p clean");
  for (int i = 0; i < 3; ++i) p.send("PUBLISH q=1 id=1 t=t p=x*10");
  for (int i = 0; i < 20; ++i) p.send("PUBLISH t=t p=y");
  EXPECT_FALSE(p.connection().wants_input());
  again.enter("id=p clean");
  EXPECT_FALSE(p.is_open());
  again.send("PINGREQ");
  EXPECT_THAT(again.take(), ElementsAre("PINGRESP"));
  r.acknowledges = true;
  r.send("PUBACK id=1");
  EXPECT_EQ(rig.counters().queued_messages, 0u);
}

TEST(BrokerTakeOver, AWillWithoutDelayIsPublishedOneWithDelayIsNot) {
  Rig rig;
  Client w{rig}, a{rig}, again{rig};
  w.enter("id=w clean");
  w.subscribe("will/#");
  a.enter(fmt::format("id=a clean {} will=will/a willp=gone", kept));
  again.enter(fmt::format("id=a {} will=will/a willp=gone will.will_delay_interval=5", kept));
  EXPECT_THAT(w.take(), ElementsAre("PUBLISH q=0 id=0 t=will/a p=gone"));
  a.enter("id=a");
  rig.advance(100s);
  EXPECT_THAT(w.take(), IsEmpty());
}

TEST(BrokerTakeOver, ACleanStartEndsTheSessionAndItsDelayedWillIsPublished) {
  Rig rig;
  Client w{rig}, a{rig}, again{rig};
  w.enter("id=w clean");
  w.subscribe("will/#");
  a.enter(fmt::format("id=a clean {} will=will/a willp=gone will.will_delay_interval=5", kept));
  again.enter("id=a clean");
  EXPECT_THAT(w.take(), ElementsAre("PUBLISH q=0 id=0 t=will/a p=gone"));
}

TEST(BrokerSession, Mqtt_3_1_2_23_IsKeptForItsExpiryInterval) {
  Rig rig;
  Client a{rig};
  a.enter("id=a clean session_expiry_interval=10");
  a.subscribe("t:1");
  a.cut();
  rig.advance(9999ms);
  EXPECT_EQ(rig.counters().sessions, 1u);
  a.connect("id=a session_expiry_interval=10");
  EXPECT_THAT(a.take(), Contains(StartsWith("CONNACK sp")));
  a.cut();
  rig.advance(10s);
  EXPECT_EQ(rig.counters().sessions, 0u);
  EXPECT_EQ(rig.counters().subscriptions, 0u);
  a.take();
  a.connect("id=a");
  EXPECT_THAT(a.take(), ElementsAre(testing::Not(StartsWith("CONNACK sp"))));
}

TEST(BrokerSession, DisconnectChangesTheExpiryInterval) {
  Rig rig;
  Client a{rig};
  a.enter("id=a clean session_expiry_interval=10");
  a.send("DISCONNECT session_expiry_interval=100");
  rig.advance(99s);
  EXPECT_EQ(rig.counters().sessions, 1u);
  a.enter("id=a session_expiry_interval=10");
  a.send("DISCONNECT session_expiry_interval=0");
  EXPECT_EQ(rig.counters().sessions, 0u);
  EXPECT_THAT(rig.store.calls, Contains("session a 100 away"));
}

TEST(BrokerSession, NeverExpiringStays) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.session_expiry_maximum = 0xFFFF'FFFF; })};
  Client a{rig};
  a.enter("id=a clean session_expiry_interval=0xffffffff");
  a.cut();
  rig.advance(24h * 365 * 10);
  EXPECT_EQ(rig.counters().sessions, 1u);
  EXPECT_FALSE(rig.broker.next_deadline());
}

TEST(BrokerSession, CleanSession0Before5EndsAtTheBrokersMaximum) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.session_expiry_maximum = 50; })};
  Client a{rig, Version::v3_1_1};
  a.enter("id=a");
  a.send("DISCONNECT");
  rig.advance(49s);
  a.connect("id=a");
  EXPECT_THAT(a.take(), Contains("CONNACK sp"));
  a.cut();
  rig.advance(50s);
  EXPECT_EQ(rig.counters().sessions, 0u);
}

TEST(BrokerSession, ACleanStartForgetsSubscriptionsAndQueue) {
  Rig rig;
  Client a{rig}, p{rig};
  a.enter(fmt::format("id=a clean {}", kept));
  a.subscribe("t:1");
  a.cut();
  p.enter("id=p clean");
  p.send("PUBLISH q=1 id=1 t=t p=1");
  EXPECT_EQ(rig.counters().queued_messages, 1u);
  a.take();
  a.connect("id=a clean");
  EXPECT_THAT(a.take(), ElementsAre(testing::Not(StartsWith("CONNACK sp"))));
  EXPECT_EQ(rig.counters().queued_messages, 0u);
  EXPECT_EQ(rig.counters().queued_bytes, 0u);
  EXPECT_EQ(rig.dropped(DropReason::session_ended), 1u);
  EXPECT_EQ(rig.counters().subscriptions, 0u);
}

TEST(BrokerSession, QoS2IsReceivedOnceOverAReconnect) {
  Rig rig;
  Client p{rig}, s{rig};
  s.enter("id=s clean");
  s.subscribe("t:2");
  p.acknowledges = false;
  p.enter(fmt::format("id=p clean {}", kept));
  p.send("PUBLISH q=2 id=5 t=t p=once");
  p.cut();
  p.enter(fmt::format("id=p {}", kept));
  p.send("PUBLISH q=2 id=5 dup t=t p=once");
  EXPECT_THAT(p.take(), ElementsAre("PUBREC id=5"));
  p.send("PUBREL id=5");
  EXPECT_THAT(s.take_messages(), ElementsAre("PUBLISH q=2 id=1 t=t p=once"));
}

/// Exact, though the message had waited for half a second when it was first sent.
TEST(BrokerSession, Mqtt_3_3_2_6_WhatIsSentAgainSaysWhatIsLeft) {
  Rig rig{with_limits([](broker::Limits& limits) { limits.in_flight = 1; })};
  Client a{rig}, p{rig};
  a.acknowledges = false;
  a.enter("id=a clean session_expiry_interval=60");
  a.subscribe("t:2");
  p.enter("id=p clean");
  p.send("PUBLISH q=1 id=1 t=t p=first");
  p.send("PUBLISH q=2 id=2 t=t p=x message_expiry_interval=10");
  rig.advance(500ms);
  a.send("PUBACK id=1");
  EXPECT_THAT(a.take(), Contains("PUBLISH q=2 id=2 t=t p=x message_expiry_interval=10"));
  a.cut();
  rig.advance(900ms);
  a.enter("id=a session_expiry_interval=60");
  EXPECT_THAT(a.take(), ElementsAre("PUBLISH q=2 id=2 dup t=t p=x message_expiry_interval=9"));
  a.cut();
  rig.advance(20s);
  a.enter("id=a session_expiry_interval=60");
  EXPECT_THAT(a.take(), ElementsAre("PUBLISH q=2 id=2 dup t=t p=x message_expiry_interval=0"));
  EXPECT_EQ(rig.dropped(), 0u);
}

TEST(BrokerAuth, AnExchangeOfTwoSteps) {
  Rig rig;
  Client a{rig};
  a.connect("id=a clean authentication_method=rounds authentication_data=one");
  EXPECT_THAT(a.take(), ElementsAre("AUTH rc=0x18 authentication_data=second? authentication_method=rounds"));
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  EXPECT_THAT(a.take(), ElementsAre(testing::HasSubstr("authentication_data=welcome")));
  EXPECT_THAT(rig.events.lines, ElementsAre("connected a user=rounder"));
}

TEST(BrokerAuth, RefusalsAndUnknownMethods) {
  Rig rig;
  Client a{rig};
  a.connect("id=a clean authentication_method=rounds");
  a.take();
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=wrong");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x86", "closed"));
  a.connect("id=a clean authentication_method=other");
  EXPECT_THAT(a.take(), ElementsAre("CONNACK rc=0x8c", "closed"));
  EXPECT_EQ(rig.counters().sessions, 0u);
}

TEST(BrokerAuth, AChallengeThatIsNotAnsweredTimesOut) {
  Rig rig;
  Client a{rig};
  a.connect("id=a clean authentication_method=rounds");
  rig.advance(10s);
  EXPECT_FALSE(a.is_open());
}

TEST(BrokerAuth, Again) {
  Rig rig;
  Client a{rig};
  a.connect("id=a clean authentication_method=rounds");
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  a.take();
  a.send("AUTH rc=0x19 authentication_method=rounds");
  EXPECT_THAT(a.take(), ElementsAre(StartsWith("AUTH rc=0x18")));
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=two");
  EXPECT_THAT(a.take(), ElementsAre("AUTH authentication_data=welcome authentication_method=rounds"));
  a.send("AUTH rc=0x19 authentication_method=rounds");
  a.take();
  a.send("AUTH rc=0x18 authentication_method=rounds authentication_data=wrong");
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0x87", "closed"));
}

TEST(BrokerStore, IsToldInOrderAndCommittedBeforeAnythingLeaves) {
  Rig rig;
  Client a{rig};
  a.enter("id=a clean session_expiry_interval=60");
  a.subscribe("t/#:1", "subscription_identifier=7");
  a.send("PUBLISH retain t=t/1 p=x");
  a.send("PUBLISH retain t=t/1");
  a.send("UNSUBSCRIBE id=1 f=t/# f=none");
  a.send("DISCONNECT session_expiry_interval=0");
  EXPECT_THAT(rig.store.calls, ElementsAre("session a 60", "commit!", "subscribed a t/#:1 7", "commit!",
                                           "retained t/1 x", "commit", "retained t/1 -", "commit",
                                           "unsubscribed a t/#", "commit!", "ended a", "commit"));
}

TEST(BrokerAdministration, DisconnectsOneAndShutsDown) {
  Rig rig;
  Client a{rig}, b{rig, Version::v3_1_1}, c{rig};
  a.enter("id=a clean");
  b.enter("id=b clean");
  c.open();
  rig.broker.disconnect(rig.now, "a", ReasonCode::administrative_action);
  rig.broker.disconnect(rig.now, "nobody", ReasonCode::administrative_action);
  rig.run();
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0x98", "closed"));
  a.enter("id=a clean");
  rig.broker.shut_down(rig.now);
  rig.run();
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0x8b", "closed"));
  EXPECT_THAT(b.take(), ElementsAre("closed"));
  EXPECT_EQ(rig.counters().connections, 0u);
}

TEST(BrokerAdministration, AnyReasonEndsTheConnection) {
  Rig rig;
  Client a{rig};
  a.enter("id=a clean");
  rig.broker.disconnect(rig.now, "a", ReasonCode::bad_user_name_or_password);
  rig.run();
  EXPECT_FALSE(a.is_open());
}

TEST(BrokerSession, Mqtt_3_1_2_24_AMessageSentAgainWithAnExpiryItDidNotHaveStaysWithinTheMaximumPacketSize) {
  Rig rig;
  Client old{rig, Version::v3_1_1}, p{rig}, a{rig};
  old.acknowledges = false;
  old.enter("id=a");
  old.subscribe("t:1");
  p.enter("id=p clean");
  p.send("PUBLISH q=1 id=1 t=t p=x*30 message_expiry_interval=100");
  EXPECT_EQ(old.count("PUBLISH"), 1u);
  old.cut();
  a.connect("id=a session_expiry_interval=100 maximum_packet_size=40");  // it would be 43
  EXPECT_EQ(a.count("PUBLISH"), 0u);
  EXPECT_EQ(rig.dropped(DropReason::too_large), 1u);
}

}  // namespace
}  // namespace mqtt::test
