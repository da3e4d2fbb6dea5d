// $SYS: what the broker says of itself.
#include <unit/broker/broker_test.hpp>

#include <mqtt/broker/load_average.hpp>

namespace mqtt::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

broker::BrokerConfig config() {
  broker::BrokerConfig config;
  config.status_interval = 10s;
  config.version = "test version 1";
  return config;
}

TEST(Status, IsThereFromTheBeginningAndRetained) {
  Rig rig{config()};
  rig.advance(0s);
  Client a{rig};
  a.enter("id=a clean");
  a.subscribe("$SYS/#:2");
  const auto came = a.take_messages();
  EXPECT_THAT(came, Contains("PUBLISH q=0 id=0 retain t=$SYS/broker/version p=test version 1"));
  EXPECT_THAT(came, Contains("PUBLISH q=0 id=0 retain t=$SYS/broker/clients/connected p=0"));
  EXPECT_EQ(rig.counters().retained_messages, 0u) << "nobody's but the broker's own";
}

TEST(Status, WhatHasChangedComesAtTheInterval) {
  Rig rig{config()};
  rig.advance(0s);
  Client a{rig}, b{rig};
  a.enter("id=a clean");
  a.subscribe("$SYS/broker/clients/+:0");
  a.subscribe("$SYS/broker/publish/bytes/+:0");
  a.subscribe("$SYS/broker/uptime:0");
  a.take();
  b.enter("id=b clean session_expiry_interval=1");
  b.send("PUBLISH t=t p=12345");
  b.cut();
  rig.advance(9s);
  EXPECT_THAT(a.take_messages(), ElementsAre());
  rig.advance(1s);
  const auto came = a.take_messages();
  EXPECT_THAT(came, Contains("PUBLISH q=0 id=0 t=$SYS/broker/clients/connected p=1"));
  EXPECT_THAT(came, Contains("PUBLISH q=0 id=0 t=$SYS/broker/clients/maximum p=2"));
  EXPECT_THAT(came, Contains("PUBLISH q=0 id=0 t=$SYS/broker/clients/expired p=1"));
  EXPECT_THAT(came, Contains("PUBLISH q=0 id=0 t=$SYS/broker/publish/bytes/received p=5"));
  EXPECT_THAT(came, Contains("PUBLISH q=0 id=0 t=$SYS/broker/uptime p=10 seconds"));
  EXPECT_THAT(came, testing::Not(Contains(HasSubstr("clients/disconnected")))) << "it is 0 as before";
}

TEST(Status, CountsPacketsOfAllTypes) {
  Rig rig{config()};
  rig.advance(0s);
  Client a{rig};
  a.enter("id=a clean");                  // CONNECT, CONNACK
  a.subscribe("$share/g/t:1");            // SUBSCRIBE, SUBACK
  a.subscribe("u:1");                     // the same
  a.send("PUBLISH q=1 id=9 t=none p=x");  // PUBLISH, PUBACK
  a.send("PINGREQ");                      // PINGREQ, PINGRESP
  EXPECT_EQ(rig.counters().packets_received, 5u);
  EXPECT_EQ(rig.counters().packets_sent, 5u);
  EXPECT_EQ(rig.counters().subscriptions, 2u);
  EXPECT_EQ(rig.counters().shared_subscriptions, 1u);
  a.subscribe("$SYS/broker/#:0");
  const auto came = a.take_messages();
  EXPECT_THAT(came, Contains("PUBLISH q=0 id=0 retain t=$SYS/broker/messages/sent p=0"));
  EXPECT_THAT(came, Contains("PUBLISH q=0 id=0 retain t=$SYS/broker/load/messages/sent/1min p=0.00"));
  rig.advance(10s);
  const auto later = a.take_messages();
  EXPECT_THAT(later, Contains("PUBLISH q=0 id=0 t=$SYS/broker/messages/received p=6"));
  EXPECT_THAT(later, Contains("PUBLISH q=0 id=0 t=$SYS/broker/subscriptions/count p=2"));
  EXPECT_THAT(later, Contains("PUBLISH q=0 id=0 t=$SYS/broker/shared_subscriptions/count p=1"));
  a.send("UNSUBSCRIBE id=8 f=$share/g/t");
  EXPECT_EQ(rig.counters().shared_subscriptions, 0u);
}

TEST(Status, HasTheHeapIfThereIsOne) {
  auto with_heap = config();
  std::size_t bytes = 5;
  with_heap.heap_bytes = [&bytes] { return bytes; };
  Rig rig{with_heap};
  rig.advance(0s);
  Client a{rig};
  a.enter("id=a clean");
  a.subscribe("$SYS/broker/heap/+:0");
  EXPECT_THAT(a.take_messages(),
              testing::UnorderedElementsAre("PUBLISH q=0 id=0 retain t=$SYS/broker/heap/current p=5",
                                            "PUBLISH q=0 id=0 retain t=$SYS/broker/heap/maximum p=5"));
  bytes = 3;
  rig.advance(10s);
  EXPECT_THAT(a.take_messages(), ElementsAre("PUBLISH q=0 id=0 t=$SYS/broker/heap/current p=3"));
}

TEST(Status, IsShieldedFromWildcardsAndFromClients) {
  Rig rig{config()};
  rig.advance(0s);
  Client a{rig};
  a.enter("id=a clean");
  a.subscribe("#:1");
  a.subscribe("+/broker/version:1");
  a.send("PUBLISH q=1 id=9 retain t=$SYS/broker/version p=forged");
  a.send("PUBLISH q=1 id=9 retain t=$SYS/broker/version p=");
  rig.advance(10s);
  EXPECT_THAT(a.take_messages(), ElementsAre());
  a.subscribe("$SYS/broker/version:0");
  EXPECT_THAT(a.take_messages(),
              ElementsAre("PUBLISH q=0 id=0 retain t=$SYS/broker/version p=test version 1"));
}

TEST(Status, TakesNoRoomFromWhatClientsRetain) {
  auto with_room = config();
  with_room.limits.retained_messages = 1;
  Rig rig{with_room};
  rig.advance(0s);
  Client a{rig};
  a.enter("id=a clean");
  a.send("PUBLISH retain t=one p=x");
  a.send("PUBLISH retain t=two p=x");
  EXPECT_EQ(rig.counters().retained_messages, 1u);
  EXPECT_EQ(rig.dropped(broker::DropReason::retained_full), 1u);
}

TEST(Status, IsNotRetainedWhereNothingIs) {
  auto no_retain = config();
  no_retain.retain_available = false;
  Rig rig{no_retain};
  rig.advance(0s);
  Client a{rig};
  a.enter("id=a clean");
  a.subscribe("$SYS/broker/uptime:0");
  EXPECT_THAT(a.take_messages(), ElementsAre());
  rig.advance(10s);
  EXPECT_THAT(a.take_messages(), ElementsAre("PUBLISH q=0 id=0 t=$SYS/broker/uptime p=10 seconds"));
}

TEST(Status, IsNotThereWithoutAnInterval) {
  Rig rig;
  rig.advance(0s);
  Client a{rig};
  a.enter("id=a clean");
  a.subscribe("$SYS/#:0");
  EXPECT_THAT(a.take_messages(), ElementsAre());
  EXPECT_FALSE(rig.broker.next_deadline() && *rig.broker.next_deadline() <= rig.now);
}

TEST(LoadAverage, ComesCloseToASteadyRateAndFades) {
  broker::LoadAverage load;
  std::uint64_t total = 0;
  for (int i = 0; i < 60; ++i) load.note(total += 10, 10s);  // ten minutes of 60 per minute
  EXPECT_NEAR(load.averages()[0], 60, 0.1);
  EXPECT_NEAR(load.averages()[1], 60 * (1 - std::exp(-2.0)), 0.1);
  for (int i = 0; i < 60; ++i) load.note(total, 10s);
  EXPECT_NEAR(load.averages()[0], 0, 0.1);
  EXPECT_GT(load.averages()[2], 10);
}

}  // namespace
}  // namespace mqtt::test
