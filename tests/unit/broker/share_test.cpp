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
  /// Of the messages that came since the last call.
  static std::vector<int> payloads(Client& client) {
    std::vector<int> numbers;
    for (const std::string& line : client.take())
      if (line.starts_with("PUBLISH")) numbers.push_back(std::stoi(line.substr(line.find(" p=") + 3)));
    return numbers;
  }
  [[nodiscard]] std::vector<std::string> drops() const {
    std::vector<std::string> lines;
    for (const std::string& line : rig.events.lines)
      if (line.starts_with("dropped")) lines.push_back(line);
    return lines;
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
  EXPECT_THAT(rig.events.lines, Contains("dropped a expired 1"));
}

TEST_F(ShareTest, WhatAnEndedSessionHadGoesToTheOthersInItsOrder) {
  a.acknowledges = false;
  a.enter("id=a clean session_expiry_interval=50 receive_maximum=10");
  a.subscribe("$share/g/t:1");
  publish(1, 15);  // ten in flight, five wait
  a.send("PUBACK id=1");
  a.send("PUBACK id=4");  // their identifiers are used again last
  publish(16, 20);
  b.subscribe("$share/g/t:1");
  a.cut();
  rig.advance(50s);
  EXPECT_THAT(payloads(b), ElementsAre(2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20));
}

TEST_F(ShareTest, ItGoesBeforeNewerOnesThatWait) {
  a.enter("id=a clean session_expiry_interval=50");
  for (Client* member : {&a, &b}) {
    member->subscribe("$share/g/t:1");
    member->subscribe("$share/g/u:1");
    member->cut();
  }
  for (int i = 1; i <= 12; ++i)
    p.send(fmt::format("PUBLISH q=1 id={} t={} p={}", i, i % 3 == 0 ? "u" : "t", i));
  rig.advance(50s);
  EXPECT_EQ(rig.counters().queued_messages, 12u);
  b.enter("id=b");
  EXPECT_THAT(payloads(b), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
}

TEST_F(ShareTest, Mqtt_3_3_1_12_RetainIsAsTheNewMemberWantsIt) {
  a.subscribe("$share/g/t:1:rap");
  a.subscribe("$share/h/t:1");
  a.cut();
  p.send("PUBLISH q=1 id=1 retain t=t p=x");
  b.subscribe("$share/g/t:1");
  b.subscribe("$share/h/t:1:rap");
  rig.advance(100s);
  EXPECT_THAT(b.take(),
              testing::UnorderedElementsAre("PUBLISH q=1 id=1 t=t p=x", "PUBLISH q=1 id=2 retain t=t p=x"));
}

TEST_F(ShareTest, WhatNobodyIsLeftForIsCountedAndTold) {
  a.subscribe("$share/g/t:1");
  a.cut();
  publish(1, 3);
  EXPECT_EQ(rig.counters().queued_messages, 3u);
  rig.advance(100s);
  EXPECT_EQ(rig.counters().queued_messages, 0u);
  EXPECT_EQ(rig.dropped(DropReason::no_member), 3u);
  EXPECT_EQ(rig.dropped(), 3u);
  EXPECT_THAT(drops(), ElementsAre("dropped a no_member 1", "dropped a no_member 2"));
}

TEST_F(ShareTest, TheSameWhenTheLastMemberUnsubscribes) {
  a.subscribe("$share/g/t:1");
  a.cut();
  publish(1, 3);
  a.acknowledges = false;
  a.enter("id=a session_expiry_interval=100 receive_maximum=1");
  a.send("UNSUBSCRIBE id=1 f=$share/g/t");
  EXPECT_EQ(rig.dropped(DropReason::no_member), 2u);
  EXPECT_EQ(rig.dropped(), 2u);
  rig.advance(10s);
  EXPECT_THAT(drops(), ElementsAre("dropped a no_member 1", "dropped a no_member 1"));
}

}  // namespace
}  // namespace mqtt::test
