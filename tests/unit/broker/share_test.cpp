// Shared subscriptions.
#include "routing_test.hpp"

#include <fmt/format.h>

namespace mqtt::test {
namespace {

using broker::DropReason;

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
