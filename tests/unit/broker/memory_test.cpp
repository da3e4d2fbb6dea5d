// The bound on what all clients together make the broker keep: what counts, and what happens there.
#include "broker_test.hpp"

#include <fmt/format.h>

namespace mqtt::test {
namespace {

using broker::BrokerConfig;
using broker::DropReason;

BrokerConfig with_memory(std::size_t bytes) {
  BrokerConfig config;
  config.limits.memory = bytes;
  return config;
}

/// A broker and one who publishes.
struct Memory {
  explicit Memory(std::size_t bytes = 1'000'000) : rig{with_memory(bytes)} { p.enter("id=p clean"); }
  [[nodiscard]] std::size_t bytes() const { return rig.counters().memory_bytes; }

  Rig rig;
  Client p{rig};
};

/// Clients that subscribed to t and then read nothing any more.
struct Crowd {
  Crowd(Rig& rig, int count, std::string_view qos) {
    for (int i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<Client>(rig));
      clients.back()->enter(fmt::format("id=crowd{} clean", i));
      clients.back()->subscribe(fmt::format("t:{}", qos));
      clients.back()->read(false);
    }
  }
  void read(bool reads) {
    for (const auto& client : clients) client->read(reads);
  }
  std::vector<std::unique_ptr<Client>> clients;
};

/// The head of a QoS 0 PUBLISH of `size` bytes of payload to topic t, and so much of that.
std::string part_of_publish(std::size_t size, std::size_t part) {
  std::string packet{'\x30'};
  for (std::size_t length = size + 4;; length >>= 7) {
    packet += static_cast<char>((length & 0x7F) | (length > 0x7F ? 0x80 : 0));
    if (length <= 0x7F) break;
  }
  return packet + std::string{"\0\1t\0", 4} + std::string(part, 'x');
}

TEST(BrokerMemory, WriteBacklogsAreBoundedTogether) {
  Memory memory;
  Crowd crowd{memory.rig, 20, "0"};
  Client r{memory.rig};
  r.enter("id=r clean");
  r.subscribe("t:0");
  for (int i = 0; i < 1000; ++i) {
    memory.p.send("PUBLISH t=t p=x*3000");
    ASSERT_LT(memory.bytes(), 1'050'000u);
  }
  EXPECT_GT(memory.bytes(), 500'000u);
  EXPECT_EQ(r.count("PUBLISH"), 1000u);  // who reads loses nothing to those who do not
  EXPECT_GT(memory.rig.dropped(DropReason::memory_full), 0u);
  crowd.read(true);
  memory.rig.run();
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST(BrokerMemory, AMessageCountsOnceHoweverManyGetIt) {
  Memory memory;
  Crowd crowd{memory.rig, 50, "1"};
  memory.p.send("PUBLISH q=1 id=1 t=t p=x*100000");
  EXPECT_GT(memory.bytes(), 100'000u);
  EXPECT_LT(memory.bytes(), 150'000u);
  memory.p.send("PUBLISH q=1 id=2 t=t p=x*100000");
  EXPECT_EQ(memory.rig.dropped(), 0u);
  crowd.read(true);
  memory.rig.run();
  for (const auto& client : crowd.clients) EXPECT_EQ(client->count("PUBLISH"), 2u);
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST(BrokerMemory, WhatIsInFlightCountsWhileTheClientIsAwayToo) {
  Memory memory;
  Client r{memory.rig};
  r.acknowledges = false;
  r.enter("id=r clean session_expiry_interval=100");
  r.subscribe("t:2");
  memory.p.send("PUBLISH q=1 id=1 t=t p=x*1000");
  memory.p.send("PUBLISH q=2 id=2 t=t p=x*1000");
  memory.p.send("PUBREL id=2");
  EXPECT_GT(memory.bytes(), 2000u);
  const std::size_t there = memory.bytes();
  r.cut();
  EXPECT_EQ(memory.bytes(), there);
  r.acknowledges = true;
  r.enter("id=r session_expiry_interval=100");
  EXPECT_EQ(memory.bytes(), 0u);
  memory.p.send("PUBLISH q=1 id=1 t=t p=x*1000");
  r.acknowledges = false;
  memory.p.send("PUBLISH q=1 id=1 t=t p=x*1000");
  r.cut();
  EXPECT_GT(memory.bytes(), 1000u);
  memory.rig.advance(100s);
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST(BrokerMemory, InFlightGoesOnOneByOneWhenItIsFull) {
  Memory memory{20'000};
  Client away{memory.rig}, r{memory.rig};
  away.acknowledges = r.acknowledges = false;
  for (Client* client : {&away, &r}) {
    client->enter(client == &r ? "id=r clean" : "id=away clean session_expiry_interval=100");
    client->subscribe(client == &r ? "t:1" : "fill:1");
  }
  for (int i = 1; i <= 30; ++i) memory.p.send("PUBLISH q=1 id=1 t=fill p=x*1000");
  away.cut();
  ASSERT_GE(memory.bytes(), 18'500u);
  ASSERT_LE(memory.bytes(), 21'500u);
  for (int i = 1; i <= 5; ++i) {
    memory.p.send("PUBLISH q=1 id=1 t=t p=x*1000");
    r.send(fmt::format("PUBACK id={}", i));
  }
  EXPECT_EQ(r.count("PUBLISH"), 5u);
}

TEST(BrokerMemory, AWillThatHasNoRoomIsRefused) {
  Memory memory{10'000};
  Client a{memory.rig}, b{memory.rig}, old{memory.rig, Version::v3_1_1};
  a.enter("id=a clean will=w willp=x*4000");
  EXPECT_GT(memory.bytes(), 4000u);
  b.connect("id=b clean will=w willp=x*4000");
  EXPECT_THAT(b.take(), ElementsAre("CONNACK rc=0x97", "closed"));
  old.connect("id=old clean will=w willp=x*4000");
  EXPECT_THAT(old.take(), ElementsAre("CONNACK rc=0x88", "closed"));
  b.enter("id=b clean");
  a.send("DISCONNECT");
  EXPECT_EQ(memory.bytes(), 0u);
  b.enter("id=b clean will=w willp=x*4000");
  b.cut();
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST(BrokerMemory, AWillThatWaitsCounts) {
  Memory memory;
  Client a{memory.rig};
  a.enter("id=a clean session_expiry_interval=50 will=w willp=x*4000 will.will_delay_interval=10");
  a.cut();
  EXPECT_GT(memory.bytes(), 4000u);
  memory.rig.advance(10s);
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST(BrokerMemory, OfHalfReceivedPacketsTheLargestGoes) {
  Memory memory{400'000};
  Client large{memory.rig}, small{memory.rig}, last{memory.rig};
  large.enter("id=large clean");
  small.enter("id=small clean");
  last.enter("id=last clean");
  last.subscribe("t:0");
  large.send_bytes(part_of_publish(150'000, 110'000));
  small.send_bytes(part_of_publish(150'000, 80'000));
  EXPECT_GT(memory.bytes(), 190'000u);
  EXPECT_TRUE(large.is_open());
  last.send_bytes(part_of_publish(50'000, 20'000));
  EXPECT_THAT(large.take(), ElementsAre("DISCONNECT rc=0x97", "closed"));
  EXPECT_EQ(memory.rig.counters().inputs_cut_off, 1u);
  EXPECT_THAT(memory.rig.events.lines, Contains(StartsWith("disconnected large ")));
  small.send_bytes(std::string(70'000, 'x'));
  last.send_bytes(std::string(30'000, 'x'));
  EXPECT_EQ(last.count("PUBLISH"), 2u);
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST(BrokerMemory, ASmallStartOfAPacketIsTakenEvenWhenItIsFull) {
  Memory memory{1024};
  Client a{memory.rig};
  a.enter("id=a clean");
  a.subscribe("t:0");
  a.send_bytes(part_of_publish(10'000, 5000));
  EXPECT_GT(memory.bytes(), 5000u);
  a.send_bytes(std::string(5000, 'x'));
  EXPECT_EQ(a.count("PUBLISH"), 1u);
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST(BrokerMemory, BeforeConnectAHalfReceivedPacketCountsToo) {
  Memory memory;
  Client a{memory.rig};
  a.open();
  a.send_bytes(std::string{"\x10\xFF\x40", 3} + std::string(8000, '\0'));
  EXPECT_EQ(memory.bytes(), 8003u);
  a.cut();
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST(BrokerMemory, RetainedMessagesHaveABoundOfTheirOwn) {
  Memory memory;
  memory.p.send("PUBLISH retain t=t p=x*50000");
  EXPECT_EQ(memory.bytes(), 0u);
  Crowd crowd{memory.rig, 3, "0"};
  EXPECT_EQ(memory.bytes(), 0u);  // they took it when they subscribed
  Client r{memory.rig};
  r.enter("id=r clean");
  r.read(false);
  r.queue("SUBSCRIBE id=1 f=t:0");
  memory.rig.run();
  EXPECT_LT(memory.bytes(), 1000u);  // blocks for SUBACK and the head of the message
  memory.p.send("PUBLISH retain t=t");
  EXPECT_GT(memory.bytes(), 50'000u);  // what is no longer retained is r's
  r.read(true);
  crowd.read(true);
  memory.rig.run();
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST(BrokerMemory, QueuesOfThoseWhoAreAwayKeepNoWillOut) {
  Memory memory{100'000};
  Client away{memory.rig}, b{memory.rig};
  away.enter("id=away clean session_expiry_interval=1000");
  away.subscribe("t:1");
  away.cut();
  for (int i = 0; i < 200; ++i) memory.p.send("PUBLISH q=1 id=1 t=t p=x*500");
  ASSERT_GT(memory.rig.dropped(DropReason::memory_full), 0u);
  b.enter("id=b clean will=w willp=x*1000");
}

TEST(BrokerMemory, WhoDoesNotAcknowledgeLeavesTheLastQuarter) {
  Memory memory{1'000'000};
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 10; ++i) {
    silent.push_back(std::make_unique<Client>(memory.rig));
    silent.back()->acknowledges = false;
    silent.back()->enter(fmt::format("id=silent{} clean", i));
    silent.back()->subscribe(fmt::format("t/{}:1", i));
  }
  for (int round = 0; round < 40; ++round)
    for (int i = 0; i < 10; ++i) memory.p.send(fmt::format("PUBLISH q=1 id=1 t=t/{} p=x*5000", i));
  memory.rig.advance(120s);
  EXPECT_LT(memory.bytes(), 800'000u);
  Client r{memory.rig};
  r.enter("id=r clean");
  r.subscribe("r:1");
  for (int i = 0; i < 100; ++i) memory.p.queue(fmt::format("PUBLISH q=1 id={} t=r p=x*100", i + 1));
  memory.rig.run();
  EXPECT_EQ(r.count("PUBLISH"), 100u);
}

TEST(BrokerMemory, TopicsOfAliasesCount) {
  Memory memory;
  Client a{memory.rig};
  a.enter("id=a clean");
  for (int alias = 1; alias <= 10; ++alias)
    a.send(fmt::format("PUBLISH t={}{} topic_alias={}", std::string(10'000, 'x'), alias, alias));
  EXPECT_GT(memory.bytes(), 100'000u);
  a.send("PUBLISH t=short topic_alias=1");
  EXPECT_LT(memory.bytes(), 100'000u);
  a.cut();
  EXPECT_EQ(memory.bytes(), 0u);
}

TEST(BrokerMemory, Qos0ThatWaitsLeavesTheLastQuarter) {
  Memory memory{1'000'000};
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<Client>(memory.rig));
    slow.back()->enter(fmt::format("id=slow{} clean", i));
    slow.back()->subscribe(fmt::format("t/{}:0", i));
    slow.back()->read(false);
  }
  for (int round = 0; round < 200; ++round)
    for (int i = 0; i < 20; ++i) memory.p.send(fmt::format("PUBLISH t=t/{} p=x*1000", i));
  EXPECT_LT(memory.bytes(), 800'000u);
}

TEST(BrokerMemory, Qos2MessagesThatAPublisherDoesNotReleaseCount) {
  Memory memory;
  Client a{memory.rig};
  a.acknowledges = false;
  a.enter("id=a clean session_expiry_interval=100");
  for (int id = 1; id <= 1000; ++id) a.queue(fmt::format("PUBLISH q=2 id={} t=t", id));
  memory.rig.run();
  EXPECT_GT(memory.bytes(), 20'000u);
  a.cut();
  EXPECT_GT(memory.bytes(), 20'000u);
  memory.rig.advance(100s);
  EXPECT_EQ(memory.bytes(), 0u);
}

}  // namespace
}  // namespace mqtt::test
