// Queues, what is in flight, and their limits.
#include "queue_test.hpp"

namespace mqtt::test {
namespace {

using broker::DropReason;
using broker::ReceiveMaximumPolicy;

TEST(BrokerQueue, MessagesForAnAbsentClientAreBounded) {
  Pair pair{small_queues()};
  pair.r.cut();
  pair.publish(1, 10);
  pair.publish(0, 0, 0);
  EXPECT_EQ(pair.p.count("PUBACK"), 10u);
  EXPECT_EQ(pair.rig.counters().queued_messages, 8u);
  EXPECT_EQ(pair.rig.dropped(DropReason::queue_full), 2u);
  EXPECT_EQ(pair.rig.dropped(DropReason::offline), 1u);
  EXPECT_THAT(pair.rig.events.lines, Contains("dropped r queue_full 1"));
  pair.r.acknowledges = true;
  pair.r.enter("id=r");
  EXPECT_EQ(pair.r.count("PUBLISH"), 8u);
}

TEST(BrokerQueue, SoAreTheirBytes) {
  auto config = small_queues();
  config.limits.queued_bytes = 1000;
  Pair pair{config};
  pair.r.cut();
  for (int i = 1; i <= 5; ++i) pair.p.send(fmt::format("PUBLISH q=1 id={} t=t p=x*100", i));
  EXPECT_LE(pair.rig.counters().queued_bytes, 1000u);
  EXPECT_GT(pair.rig.counters().queued_messages, 1u);
  EXPECT_EQ(pair.rig.counters().queued_messages + pair.rig.dropped(DropReason::queue_full), 5u);
}

TEST(BrokerQueue, WhatIsInFlightIsBoundedByItsBytesToo) {
  auto config = small_queues();
  config.limits.queued_bytes = 1000;
  config.limits.in_flight = 100;
  Pair pair{config};
  for (int i = 1; i <= 6; ++i) pair.p.send(fmt::format("PUBLISH q=1 id={} t=t p=x*400", i));
  EXPECT_EQ(pair.r.count("PUBLISH"), 3u);  // the third fills it
  pair.r.acknowledges = true;
  for (int i = 1; i <= 3; ++i) pair.r.send(fmt::format("PUBACK id={}", i));
  EXPECT_EQ(pair.r.count("PUBLISH"), 6u);
}

TEST(BrokerQueue, TheMemoryOfAllTogetherIsBounded) {
  auto config = small_queues();
  config.limits.queued_messages = 1000;
  config.limits.memory = 10'000;
  Pair pair{config};
  Client other{pair.rig};
  other.enter("id=other clean session_expiry_interval=1000");
  other.subscribe("t:1");
  other.cut();
  pair.r.cut();
  for (int i = 1; i <= 100; ++i) {
    pair.p.send(fmt::format("PUBLISH q=1 id={} t=t p=x*100", i));
    ASSERT_LE(pair.rig.counters().queued_bytes, 10'000u);
  }
  EXPECT_EQ(pair.rig.counters().queued_messages + pair.rig.dropped(DropReason::memory_full), 200u);
  EXPECT_GT(pair.rig.dropped(DropReason::memory_full), 0u);
}

TEST(BrokerQueue, DropsAreToldOfOnceInTenSeconds) {
  Pair pair{small_queues()};
  pair.r.cut();
  pair.publish(1, 20);
  pair.rig.advance(10s);
  pair.publish(21, 21);
  std::vector<std::string> told;
  for (const auto& line : pair.rig.events.lines)
    if (line.starts_with("dropped")) told.push_back(line);
  EXPECT_THAT(told,
              ElementsAre("dropped r queue_full 1", "dropped r queue_full 11", "dropped r queue_full 1"));
}

TEST(BrokerQueue, Qos0IsDroppedFirst) {
  Pair pair{small_queues()};
  pair.publish(1, 3);  // the window, and one in the queue
  pair.publish(10, 16, 0);
  EXPECT_EQ(pair.rig.counters().queued_messages, 8u);
  pair.publish(4, 6);
  EXPECT_EQ(pair.rig.counters().queued_messages, 8u);
  EXPECT_EQ(pair.rig.dropped(DropReason::queue_full), 3u);
  pair.catch_up();
  std::vector<std::string> payloads;
  for (const auto& line : pair.r.take())
    if (line.starts_with("PUBLISH")) payloads.push_back(line.substr(line.find("p=") + 2));
  EXPECT_THAT(payloads, ElementsAre("1", "2", "3", "13", "14", "15", "16", "4", "5", "6"));
}

TEST(BrokerQueue, AWriteBacklogBoundsWhatIsEncodedForOneThatDoesNotRead) {
  auto config = small_queues();
  config.limits.write_backlog = 1000;
  config.limits.queued_messages = 100;
  Pair pair{config};
  pair.r.read(false);
  for (int i = 0; i < 50; ++i) pair.p.send("PUBLISH t=t p=x*100");
  EXPECT_LT(pair.r.connection().output().size(), 1200u);
  EXPECT_GT(pair.rig.counters().queued_messages, 20u);
  pair.r.read(true);
  pair.rig.run();
  EXPECT_EQ(pair.r.count("PUBLISH"), 50u);
}

TEST(BrokerFlow, TheWindowIsTheSmallerOfBothSides) {
  Pair pair{small_queues()};
  pair.publish(1, 3);
  EXPECT_EQ(pair.r.count("PUBLISH"), 2u);
  Client one{pair.rig};
  one.acknowledges = false;
  one.enter("id=one clean receive_maximum=1");
  one.subscribe("u:1");
  pair.p.send("PUBLISH q=1 id=50 t=u p=x");
  pair.p.send("PUBLISH q=1 id=51 t=u p=x");
  EXPECT_EQ(one.count("PUBLISH"), 1u);
}

TEST(BrokerFlow, Mqtt_3_3_4_7_MoreThanReceiveMaximum) {
  for (const auto policy : {ReceiveMaximumPolicy::strict, ReceiveMaximumPolicy::tolerant}) {
    auto config = small_queues();
    config.limits.receive_maximum = 2;
    config.receive_maximum_policy = policy;
    Rig rig{config};
    Client p{rig};
    p.acknowledges = false;
    p.enter("id=p clean");
    for (int i = 1; i <= 3; ++i) p.send(fmt::format("PUBLISH q=2 id={} t=t p=x", i));
    if (policy == ReceiveMaximumPolicy::strict)
      EXPECT_THAT(p.take(),
                  ElementsAre("PUBREC id=1 rc=0x10", "PUBREC id=2 rc=0x10", "DISCONNECT rc=0x93", "closed"));
    else
      EXPECT_EQ(p.count("PUBREC"), 3u);
  }
}

TEST(BrokerQueue, WhatHasExpiredMakesRoom) {
  Pair pair{small_queues()};
  pair.r.cut();
  for (int i = 1; i <= 8; ++i)
    pair.p.send(fmt::format("PUBLISH q=1 id={} t=t p=old message_expiry_interval=1", i));
  pair.rig.advance(2s);
  pair.p.send("PUBLISH q=1 id=9 t=t p=new");
  EXPECT_EQ(pair.rig.dropped(DropReason::expired), 8u);
  EXPECT_EQ(pair.rig.dropped(DropReason::queue_full), 0u);
  pair.r.acknowledges = true;
  pair.r.enter("id=r");
  EXPECT_EQ(pair.r.count("PUBLISH"), 1u);
}

TEST(BrokerQueue, WhatNoLongerFitsAfterAReconnectIsCounted) {
  Pair pair{small_queues()};
  pair.p.send("PUBLISH q=1 id=1 t=t p=x*400");
  pair.r.cut();
  pair.r.enter("id=r maximum_packet_size=100");
  EXPECT_EQ(pair.rig.dropped(DropReason::too_large), 1u);
}

}  // namespace
}  // namespace mqtt::test
