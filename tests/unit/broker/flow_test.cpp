// Queues and their limits; readers that fall behind, and publishers that wait for them.
#include "broker_test.hpp"

#include <fmt/format.h>

namespace mqtt::test {
namespace {

using broker::BrokerConfig;
using broker::DropReason;
using broker::ReceiveMaximumPolicy;
using broker::SlowConsumer;

BrokerConfig small(SlowConsumer policy = SlowConsumer::drop) {
  BrokerConfig config;
  config.limits.queued_messages = 8;
  config.limits.in_flight = 2;
  config.slow_consumer = policy;
  return config;
}

/// A reader `r` that does not acknowledge, and a publisher `p`.
struct Pair {
  explicit Pair(BrokerConfig config, Version publishers = Version::v5)
      : rig{std::move(config)}, r{rig}, p{rig, publishers} {
    r.acknowledges = false;
    r.enter("id=r clean session_expiry_interval=1000");
    r.subscribe("t:1");
    p.enter("id=p clean");
  }
  void publish(int first, int last, int qos = 1) {
    for (int i = first; i <= last; ++i)
      p.queue(qos == 0 ? fmt::format("PUBLISH t=t p={}", i)
                       : fmt::format("PUBLISH q=1 id={} t=t p={}", i, i));
    rig.run();
  }
  /// The reader acknowledges all that it has and all that follows.
  void catch_up() {
    r.acknowledges = true;
    for (int i = 1; i <= 2; ++i) r.queue(fmt::format("PUBACK id={}", i));
    rig.run();
  }
  Rig rig;
  Client r, p;
};

TEST(BrokerQueue, MessagesForAnAbsentClientAreBounded) {
  Pair pair{small()};
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
  auto config = small();
  config.limits.queued_bytes = 1000;
  Pair pair{config};
  pair.r.cut();
  for (int i = 1; i <= 5; ++i) pair.p.send(fmt::format("PUBLISH q=1 id={} t=t p=x*100", i));
  EXPECT_LE(pair.rig.counters().queued_bytes, 1000u);
  EXPECT_GT(pair.rig.counters().queued_messages, 1u);
  EXPECT_EQ(pair.rig.counters().queued_messages + pair.rig.dropped(DropReason::queue_full), 5u);
}

TEST(BrokerQueue, WhatIsInFlightIsBoundedByItsBytesToo) {
  auto config = small();
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
  auto config = small();
  config.limits.queued_messages = 1000;
  config.limits.queued_bytes_total = 10'000;
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
  Pair pair{small()};
  pair.r.cut();
  pair.publish(1, 20);
  pair.rig.advance(10s);
  pair.publish(21, 21);
  std::vector<std::string> told;
  for (const auto& line : pair.rig.events.lines)
    if (line.starts_with("dropped")) told.push_back(line);
  EXPECT_THAT(told, ElementsAre("dropped r queue_full 1", "dropped r queue_full 11", "dropped r queue_full 1"));
}

TEST(BrokerQueue, Qos0IsDroppedFirst) {
  Pair pair{small()};
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
  auto config = small();
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
  Pair pair{small()};
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
    auto config = small();
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

TEST(BrokerSlow, PublishersWaitForTheirAcknowledgementsAndGetThemInOrder) {
  Pair pair{small()};
  pair.publish(1, 20);
  // Two are in flight; from half a queue on nothing is acknowledged.
  EXPECT_EQ(pair.p.count("PUBACK"), 5u);
  EXPECT_EQ(pair.rig.counters().queued_messages, 18u);
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 20u);
  std::vector<std::string> expected;
  for (int i = 1; i <= 20; ++i) expected.push_back(fmt::format("PUBACK id={}", i));
  EXPECT_EQ(pair.p.take(), expected);
  EXPECT_EQ(pair.rig.dropped(), 0u);
}

TEST(BrokerSlow, OneThatStopsIsNotWaitedForBeyondItsGrace) {
  Pair pair{small()};
  pair.publish(1, 10);
  pair.rig.advance(4999ms);
  EXPECT_EQ(pair.p.count("PUBACK"), 5u);
  pair.rig.advance(1ms);
  EXPECT_EQ(pair.p.count("PUBACK"), 10u);
  pair.publish(11, 12);
  EXPECT_EQ(pair.p.count("PUBACK"), 12u);
  EXPECT_EQ(pair.rig.dropped(DropReason::queue_full), 2u);
  EXPECT_TRUE(pair.r.is_open());
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 10u);
  pair.publish(13, 14);
  EXPECT_EQ(pair.r.count("PUBLISH"), 12u);
}

TEST(BrokerSlow, ReadingNowAndThenIsEnough) {
  Pair pair{small()};
  pair.publish(1, 20);
  for (int i = 1; i <= 10; ++i) {
    pair.rig.advance(4900ms);
    pair.r.send(fmt::format("PUBACK id={}", i));
  }
  EXPECT_EQ(pair.rig.dropped(), 0u);
  EXPECT_LT(pair.p.count("PUBACK"), 20u);
}

TEST(BrokerSlow, OneThatDribblesHoldsOthersUpForAMinuteAtMost) {
  auto config = small();
  config.limits.queued_messages = 100;
  Pair pair{config};
  pair.publish(1, 60);
  EXPECT_EQ(pair.p.count("PUBACK"), 51u);  // two in flight and those before the queue was long
  for (int i = 0; i < 15; ++i) {           // a message every four seconds
    pair.rig.advance(4s);
    pair.r.send(fmt::format("PUBACK id={}", i + 1));
  }
  EXPECT_EQ(pair.p.count("PUBACK"), 60u);
  pair.publish(61, 62);
  EXPECT_EQ(pair.p.count("PUBACK"), 62u);  // and from then on it is not waited for, until it catches up
}

TEST(BrokerSlow, OneThatStopsKeepsNoMoreThanItsQueueHolds) {
  Pair pair{small()};
  pair.publish(1, 30);
  EXPECT_GT(pair.rig.counters().queued_messages, 8u);
  pair.rig.advance(5s);
  EXPECT_EQ(pair.rig.counters().queued_messages, 8u);
  EXPECT_EQ(pair.rig.dropped(DropReason::queue_full), 20u);
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 10u);
}

TEST(BrokerQueue, WhatHasExpiredMakesRoom) {
  Pair pair{small()};
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
  Pair pair{small()};
  pair.p.send("PUBLISH q=1 id=1 t=t p=x*400");
  pair.r.cut();
  pair.r.enter("id=r maximum_packet_size=100");
  EXPECT_EQ(pair.rig.dropped(DropReason::too_large), 1u);
}

TEST(BrokerSlow, UnderTheDisconnectPolicyItIsCutOff) {
  Pair pair{small(SlowConsumer::disconnect)};
  pair.publish(1, 10);
  pair.r.take();
  pair.rig.advance(5s);
  EXPECT_THAT(pair.r.take(), ElementsAre("DISCONNECT rc=0x97", "closed"));
  EXPECT_EQ(pair.p.count("PUBACK"), 10u);
  // Its session stays, with what waits.
  EXPECT_EQ(pair.rig.counters().queued_messages, 8u);
}

TEST(BrokerSlow, UnderTheStallPolicyItIsWaitedForForEver) {
  Pair pair{small(SlowConsumer::stall)};
  pair.publish(1, 10);
  pair.rig.advance(24h);
  EXPECT_EQ(pair.p.count("PUBACK"), 5u);
  pair.publish(100, 120, 0);
  EXPECT_FALSE(pair.p.connection().wants_input());
  EXPECT_EQ(pair.rig.dropped(), 0u);
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 31u);
  EXPECT_EQ(pair.p.count("PUBACK"), 10u);
  EXPECT_TRUE(pair.p.connection().wants_input());
}

TEST(BrokerSlow, APublisherIsLetGoWhenItsReaderLeaves) {
  for (const bool takes_over : {false, true}) {
    Pair pair{small(SlowConsumer::stall)};
    pair.publish(1, 10);
    Client again{pair.rig};
    if (takes_over)
      again.enter("id=r clean");
    else
      pair.r.cut();
    pair.rig.run();
    EXPECT_EQ(pair.p.count("PUBACK"), 10u);
  }
}

TEST(BrokerSlow, APublisherIsLetGoWhenItsReaderLeavesItsGroup) {
  Rig rig{small(SlowConsumer::stall)};
  Client r{rig}, p{rig}, other{rig};
  r.acknowledges = false;
  r.enter("id=r clean");
  r.subscribe("$share/g/t:1");
  p.enter("id=p clean");
  for (int i = 1; i <= 10; ++i) p.send(fmt::format("PUBLISH q=1 id={} t=t p={}", i, i));
  EXPECT_EQ(p.count("PUBACK"), 5u);
  other.enter("id=other clean");
  other.subscribe("$share/g/t:1");
  r.send("UNSUBSCRIBE id=1 f=$share/g/t");
  EXPECT_EQ(other.count("PUBLISH"), 8u);
  EXPECT_EQ(p.count("PUBACK"), 10u);
}

TEST(BrokerSlow, AMemberThatHasStoppedIsPassedOverByItsGroup) {
  Rig rig{small()};
  Client r{rig}, other{rig}, p{rig};
  for (Client* member : {&r, &other}) {
    member->acknowledges = false;
    member->enter(member == &r ? "id=r clean" : "id=other clean receive_maximum=1");
  }
  r.subscribe("$share/g/t:1");
  p.enter("id=p clean");
  for (int i = 1; i <= 10; ++i) p.send(fmt::format("PUBLISH q=1 id={} t=t p={}", i, i));
  rig.advance(5s);  // its queue is full, and it has stopped
  other.subscribe("$share/g/t:1");
  for (int i = 11; i <= 14; ++i) p.send(fmt::format("PUBLISH q=1 id={} t=t p={}", i, i));
  EXPECT_EQ(rig.dropped(), 0u);
  other.acknowledges = true;
  other.send("PUBACK id=1");
  EXPECT_EQ(other.count("PUBLISH"), 4u);
}

TEST(BrokerSlow, APublisherThatEndsLeavesItsMessages) {
  Pair pair{small(SlowConsumer::stall)};
  pair.publish(1, 10);
  pair.p.cut();
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 10u);
}

TEST(BrokerSlow, OneBefore5WithoutAWindowIsPausedAndReadOn) {
  auto config = small();
  config.limits.receive_maximum = 3;
  Pair pair{config, Version::v3_1_1};
  pair.publish(1, 40);
  EXPECT_FALSE(pair.p.connection().wants_input());
  EXPECT_LT(pair.rig.counters().queued_messages, 12u);
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 40u);
  EXPECT_EQ(pair.p.count("PUBACK"), 40u);
  EXPECT_EQ(pair.rig.dropped(), 0u);
  EXPECT_TRUE(pair.p.connection().wants_input());
}

TEST(BrokerSlow, APausedClientIsNotTakenForSilent) {
  auto config = small(SlowConsumer::stall);
  Pair pair{config};
  pair.p.enter("id=p clean ka=2");
  pair.publish(1, 10, 0);
  pair.publish(1, 10);
  pair.publish(20, 30, 0);
  ASSERT_FALSE(pair.p.connection().wants_input());
  pair.rig.advance(1h);
  EXPECT_TRUE(pair.p.is_open());
  pair.catch_up();
  pair.rig.advance(3s);
  EXPECT_FALSE(pair.p.is_open());
}

/// Windows full both ways.
void publish_to_each_other(SlowConsumer policy, Version version, int qos) {
  auto config = small(policy);
  config.limits.receive_maximum = 20;
  Rig rig{config};
  Client a{rig, version}, b{rig, version};
  for (Client* client : {&a, &b}) {
    client->acknowledges = false;
    client->enter(client == &a ? "id=a clean" : "id=b clean");
    client->subscribe(client == &a ? "to/a:1" : "to/b:1");
  }
  constexpr int each = 20;
  for (int i = 1; i <= each; ++i) {
    a.queue(fmt::format("PUBLISH q=1 id={} t=to/b p={}", i, i));
    b.queue(fmt::format("PUBLISH q=1 id={} t=to/a p={}", i, i));
    if (qos == 0) {
      a.queue("PUBLISH t=to/b p=zero");
      b.queue("PUBLISH t=to/a p=zero");
    }
  }
  rig.run();
  for (Client* client : {&a, &b}) {
    client->acknowledges = true;
    client->queue("PUBACK id=1");
    client->queue("PUBACK id=2");
  }
  rig.run();
  for (Client* client : {&a, &b}) {
    EXPECT_EQ(client->count("PUBLISH q=1"), std::size_t{each});
    EXPECT_EQ(client->count("PUBACK"), std::size_t{each});
    if (policy == SlowConsumer::stall) {
      EXPECT_EQ(client->count("PUBLISH q=0"), qos == 0 ? std::size_t{each} : 0u);
    }
  }
  EXPECT_EQ(rig.counters().queued_messages, 0u);
}

TEST(BrokerSlow, TwoThatPublishToEachOtherDoNotBlockEachOther) {
  for (const auto policy : {SlowConsumer::drop, SlowConsumer::stall})
    for (const Version version : {Version::v5, Version::v3_1_1})
      for (const int qos : {0, 1}) {
        SCOPED_TRACE(fmt::format("policy {} {} QoS {}", static_cast<int>(policy), to_string(version), qos));
        publish_to_each_other(policy, version, qos);
      }
}

TEST(BrokerSlow, AMessageAboveTheQueuesBoundReachesOneThatReads) {
  auto config = small();
  config.limits.queued_bytes = 500;
  Pair pair{config};
  pair.publish(1, 2);
  pair.p.send("PUBLISH q=1 id=3 t=t p=x*1000");
  EXPECT_EQ(pair.rig.dropped(), 0u);
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 3u);
}

TEST(BrokerSlow, OneThatComesBackToAFullQueueLosesNothingMore) {
  Pair pair{small()};
  pair.r.cut();
  pair.publish(1, 8);
  pair.r.enter("id=r");
  pair.publish(9, 12);
  EXPECT_EQ(pair.rig.dropped(), 0u);
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 12u);
}

TEST(BrokerSlow, ALargeMessageOverASlowLineIsNoSilence) {
  auto config = small(SlowConsumer::disconnect);
  config.limits.write_backlog = 100;
  Pair pair{config};
  pair.r.chunk_max = 1000;
  pair.r.read(false);
  for (int i = 1; i <= 10; ++i) pair.p.send(fmt::format("PUBLISH q=1 id={} t=t p=x*5000", i));
  for (int i = 0; i < 4; ++i) {
    pair.rig.advance(4s);
    pair.r.read(true);
    pair.r.step();  // one chunk of the first message
    pair.r.read(false);
  }
  EXPECT_TRUE(pair.r.is_open());
  EXPECT_EQ(pair.r.count("PUBLISH"), 0u);
}

}  // namespace
}  // namespace mqtt::test
