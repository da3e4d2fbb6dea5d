// Sessions: take-over, expiry, clean start; what the store is told; how the broker ends connections.
#include "broker_test.hpp"

#include <fmt/format.h>

namespace mqtt::test {
namespace {

using broker::DropReason;

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
