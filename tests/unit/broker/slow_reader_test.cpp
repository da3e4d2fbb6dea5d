// Readers that fall behind, and publishers that wait for them.
#include "queue_test.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace mqtt::test {
namespace {

using broker::DropReason;
using broker::SlowConsumer;

TEST(BrokerSlow, PublishersWaitForTheirAcknowledgementsAndGetThemInOrder) {
  Pair pair{small_queues()};
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

TEST(BrokerSlow, IsToldOfByWhatWaitsForIt) {
  Pair pair{small_queues()};
  EXPECT_TRUE(pair.rig.broker.slow_clients(9).empty());
  Client away{pair.rig}, worse{pair.rig};
  away.enter("id=away clean session_expiry_interval=1000");
  worse.acknowledges = false;
  worse.enter("id=worse clean");
  for (Client* each : {&away, &worse}) each->subscribe("#:1");
  away.cut();
  pair.p.send("PUBLISH q=1 id=99 t=elsewhere p=more");
  pair.publish(1, 6);
  const auto slow = pair.rig.broker.slow_clients(9);
  ASSERT_EQ(slow.size(), 2u) << "one that is away is not slow";
  EXPECT_EQ(slow[0].client_id, "worse");
  EXPECT_EQ(slow[1].client_id, "r");
  EXPECT_EQ(slow[1].queued_messages, 4u);
  EXPECT_EQ(slow[1].in_flight, 2u);
  EXPECT_LT(slow[1].queued_bytes, slow[0].queued_bytes);
  EXPECT_FALSE(slow[1].stopped);
  EXPECT_EQ(pair.rig.broker.slow_clients(1).size(), 1u);
  pair.rig.advance(5s);
  EXPECT_TRUE(pair.rig.broker.slow_clients(9)[1].stopped);
  pair.catch_up();
  EXPECT_EQ(pair.rig.broker.slow_clients(9).size(), 1u);
}

TEST(BrokerSlow, OneThatStopsIsNotWaitedForBeyondItsGrace) {
  Pair pair{small_queues()};
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
  Pair pair{small_queues()};
  pair.publish(1, 20);
  for (int i = 1; i <= 10; ++i) {
    pair.rig.advance(4900ms);
    pair.r.send(fmt::format("PUBACK id={}", i));
  }
  EXPECT_EQ(pair.rig.dropped(), 0u);
  EXPECT_LT(pair.p.count("PUBACK"), 20u);
}

TEST(BrokerSlow, OneThatDribblesHoldsOthersUpForAMinuteAtMost) {
  auto config = small_queues();
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
  Pair pair{small_queues()};
  pair.publish(1, 30);
  EXPECT_GT(pair.rig.counters().queued_messages, 8u);
  pair.rig.advance(5s);
  EXPECT_EQ(pair.rig.counters().queued_messages, 8u);
  EXPECT_EQ(pair.rig.dropped(DropReason::queue_full), 20u);
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 10u);
}

TEST(BrokerSlow, UnderTheDisconnectPolicyItIsCutOff) {
  Pair pair{small_queues(SlowConsumer::disconnect)};
  pair.publish(1, 10);
  pair.r.take();
  pair.rig.advance(5s);
  EXPECT_THAT(pair.r.take(), ElementsAre("DISCONNECT rc=0x97", "closed"));
  EXPECT_EQ(pair.p.count("PUBACK"), 10u);
  // Its session stays, with what waits.
  EXPECT_EQ(pair.rig.counters().queued_messages, 8u);
}

TEST(BrokerSlow, UnderTheStallPolicyItIsWaitedForForEver) {
  Pair pair{small_queues(SlowConsumer::stall)};
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
    Pair pair{small_queues(SlowConsumer::stall)};
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
  Rig rig{small_queues(SlowConsumer::stall)};
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
  Rig rig{small_queues()};
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
  Pair pair{small_queues(SlowConsumer::stall)};
  pair.publish(1, 10);
  pair.p.cut();
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 10u);
}

TEST(BrokerSlow, OneBefore5WithoutAWindowIsPausedAndReadOn) {
  auto config = small_queues();
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
  auto config = small_queues(SlowConsumer::stall);
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
  auto config = small_queues(policy);
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
  auto config = small_queues();
  config.limits.queued_bytes = 500;
  Pair pair{config};
  pair.publish(1, 2);
  pair.p.send("PUBLISH q=1 id=3 t=t p=x*1000");
  EXPECT_EQ(pair.rig.dropped(), 0u);
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 3u);
}

TEST(BrokerSlow, OneThatComesBackToAFullQueueLosesNothingMore) {
  Pair pair{small_queues()};
  pair.r.cut();
  pair.publish(1, 8);
  pair.r.enter("id=r");
  pair.publish(9, 12);
  EXPECT_EQ(pair.rig.dropped(), 0u);
  pair.catch_up();
  EXPECT_EQ(pair.r.count("PUBLISH"), 12u);
}

TEST(BrokerSlow, ALargeMessageOverASlowLineIsNoSilence) {
  auto config = small_queues(SlowConsumer::disconnect);
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

std::vector<std::unique_ptr<Client>> make_clients(Rig& rig, std::string_view name, std::size_t count) {
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<Client>(rig));
    clients.back()->enter(fmt::format("id={}{} clean session_expiry_interval=1000", name, i));
  }
  return clients;
}

std::size_t count_all(const std::vector<std::unique_ptr<Client>>& clients, std::string_view prefix) {
  std::size_t count = 0;
  for (const auto& client : clients) count += client->count(prefix);
  return count;
}

void queue_acknowledgements(Client& reader) {
  reader.acknowledges = true;
  for (int i = 1; i <= 2; ++i) reader.queue(fmt::format("PUBACK id={}", i));
}

TEST(BrokerSlow, PublishersWaitForTheLastOfTheirReadersInWhateverOrderTheyGoOn) {
  std::mt19937 random{5};
  for (int round = 0; round < 20; ++round) {
    Rig rig{small_queues()};
    auto readers = make_clients(rig, "r", 7), publishers = make_clients(rig, "p", 5);
    for (const auto& reader : readers) {
      reader->acknowledges = false;
      reader->subscribe("t:1");
    }
    for (const int id : {1, 2})
      for (const auto& publisher : publishers) publisher->send(fmt::format("PUBLISH q=1 id={} t=t", id));
    EXPECT_EQ(count_all(publishers, "PUBACK"), 5U);
    std::shuffle(readers.begin(), readers.end(), random);
    publishers[random() % publishers.size()]->cut();
    for (const auto& reader : readers) {
      EXPECT_EQ(count_all(publishers, "PUBACK"), 5U);
      if (random() % 3 == 0)
        reader->cut();
      else
        queue_acknowledgements(*reader);
      rig.run();
    }
    EXPECT_EQ(count_all(publishers, "PUBACK"), 9U) << "one of them is away";
  }
}

TEST(BrokerSlow, ManyPublishersEachWaitForAReaderOfTheirOwn) {
  const char* const wanted = std::getenv("MQ_SLOW_READERS");
  const std::size_t pairs = wanted ? std::strtoul(wanted, nullptr, 10) : 200;
  Rig rig{small_queues()};
  const auto readers = make_clients(rig, "r", pairs), publishers = make_clients(rig, "p", pairs);
  for (std::size_t i = 0; i < pairs; ++i) {
    readers[i]->acknowledges = false;
    readers[i]->queue(fmt::format("SUBSCRIBE id=9 f=t/{}:1", i));
  }
  rig.run();
  for (std::size_t i = 0; i < pairs; ++i)
    for (int id = 1; id <= 8; ++id) publishers[i]->queue(fmt::format("PUBLISH q=1 id={} t=t/{}", id, i));
  rig.run();
  EXPECT_EQ(count_all(publishers, "PUBACK"), 5 * pairs);
  for (const auto& reader : readers) queue_acknowledgements(*reader);
  const std::clock_t began = std::clock();
  rig.run();
  RecordProperty("catching_up_ms", std::to_string((std::clock() - began) * 1000 / CLOCKS_PER_SEC));
  EXPECT_EQ(count_all(publishers, "PUBACK"), 8 * pairs);
  EXPECT_EQ(count_all(readers, "PUBLISH"), 8 * pairs);
}

}  // namespace
}  // namespace mqtt::test
