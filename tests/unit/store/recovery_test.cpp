// What a broker takes up of another one that was killed.
#include "shelf.hpp"

namespace mqtt::test {
namespace {

TEST(Recovery, APublisherWaitsForReadersThatAreExpectedBack) {
  broker::BrokerConfig config;
  config.limits.queued_messages = 8;
  config.return_grace = 30s;
  DurableRig world{config};
  Client r{world.rig}, p{world.rig};
  r.enter("id=r clean session_expiry_interval=1000");
  r.subscribe("t:1");
  world.kill();
  p.enter("id=p clean");
  for (int i = 1; i <= 20; ++i) p.queue(fmt::format("PUBLISH q=1 id={} t=t p={}", i, i));
  world.run();
  EXPECT_LT(p.count("PUBACK"), 8u);
  world.advance(29s);
  EXPECT_EQ(world.rig.dropped(), 0u);
  r.enter("id=r session_expiry_interval=1000");
  EXPECT_EQ(r.count("PUBLISH"), 20u);
  EXPECT_EQ(p.count("PUBACK"), 20u);
}

TEST(Recovery, APublisherDoesNotWaitForEver) {
  broker::BrokerConfig config;
  config.limits.queued_messages = 8;
  config.return_grace = 30s;
  DurableRig world{config};
  Client r{world.rig}, p{world.rig};
  r.enter("id=r clean session_expiry_interval=1000");
  r.subscribe("t:1");
  world.kill();
  p.enter("id=p clean");
  for (int i = 1; i <= 20; ++i) p.queue(fmt::format("PUBLISH q=1 id={} t=t p={}", i, i));
  world.run();
  world.advance(31s);
  EXPECT_EQ(p.count("PUBACK"), 20u);
  EXPECT_EQ(world.rig.dropped(broker::DropReason::queue_full), 12u);
}

TEST(Recovery, ThoseWhoWereAwayAreNotWaitedFor) {
  broker::BrokerConfig config;
  config.limits.queued_messages = 8;
  DurableRig world{config};
  Client r{world.rig}, p{world.rig};
  r.enter("id=r clean session_expiry_interval=1000");
  r.subscribe("t:1");
  r.cut();
  world.advance(1s);
  world.kill();
  p.enter("id=p clean");
  for (int i = 1; i <= 20; ++i) p.queue(fmt::format("PUBLISH q=1 id={} t=t p={}", i, i));
  world.run();
  EXPECT_EQ(p.count("PUBACK"), 20u);
  EXPECT_EQ(world.rig.dropped(broker::DropReason::queue_full), 12u);
}

TEST(Recovery, TimesGoOnWhileNobodyIsThere) {
  DurableRig world;
  Client a{world.rig}, p{world.rig};
  a.enter("id=a clean session_expiry_interval=100");
  a.subscribe("t:1");
  a.cut();
  p.enter("id=p clean");
  p.send("PUBLISH q=1 id=1 t=t message_expiry_interval=50 p=short");
  p.send("PUBLISH q=1 id=2 t=t message_expiry_interval=90 p=long");
  world.advance(1s);
  world.kill(60s);
  a.enter("id=a session_expiry_interval=100");
  EXPECT_THAT(a.take_messages(), ElementsAre("PUBLISH q=1 id=1 t=t p=long message_expiry_interval=29"));
  a.cut();
  world.advance(1s);
  world.kill(101s);
  world.advance(0s);
  EXPECT_EQ(world.rig.counters().sessions, 0u);
}

TEST(Recovery, WhatExpiresIn136YearsIsNoDamageInAnyYear) {
  DurableRig world;
  world.shelf.away = std::chrono::years{30};  // it is 2053
  Client a{world.rig}, p{world.rig};
  a.enter("id=a clean session_expiry_interval=4294967294 will=w willp=x will.will_delay_interval=4294967295");
  a.subscribe("t:1");
  a.cut();
  p.enter("id=p clean");
  p.send("PUBLISH q=1 id=1 retain t=t message_expiry_interval=4294967295 p=long");
  world.advance(1s);
  world.kill();
  EXPECT_EQ(world.rig.counters().sessions, 1u);
  EXPECT_EQ(world.rig.counters().retained_messages, 1u);
  world.kill(std::chrono::years{-60});  // a clock that has lost its battery
  a.enter("id=a session_expiry_interval=10");
  EXPECT_EQ(a.count("PUBLISH"), 1u);
}

TEST(Recovery, AWillThatDisconnectHasWithdrawnDoesNotComeBack) {
  DurableRig world;
  Client watcher{world.rig}, stays{world.rig}, goes{world.rig};
  watcher.enter("id=w clean session_expiry_interval=1000");
  watcher.subscribe("will:1");
  stays.enter("id=s clean session_expiry_interval=1000 will=will willp=x");
  goes.enter("id=g clean will=will willp=x");
  stays.send("DISCONNECT");
  goes.send("DISCONNECT");
  EXPECT_EQ(world.count("session WHERE will_topic IS NOT NULL"), 0);
  world.kill();
  watcher.enter("id=w session_expiry_interval=1000");
  world.advance(1s);
  EXPECT_EQ(watcher.count("PUBLISH"), 0u);
}

TEST(Recovery, RetainedMessagesThatWereOnTheirWayComeAnew) {
  broker::BrokerConfig config;
  config.limits.in_flight = 1;
  DurableRig world{config};
  Client p{world.rig}, r{world.rig};
  p.enter("id=p clean");
  for (int i = 1; i <= 3; ++i) p.send(fmt::format("PUBLISH q=1 id=1 retain t=t/{} p={}", i, i));
  r.acknowledges = false;
  r.enter("id=r clean session_expiry_interval=100");
  r.subscribe("t/#:1");
  EXPECT_EQ(r.count("PUBLISH"), 1u);
  EXPECT_EQ(world.count("subscription WHERE replays = 1"), 1);
  world.kill();
  Client again{world.rig};
  again.enter("id=r session_expiry_interval=100");
  std::set<std::string> topics;
  for (const std::string& line : again.take_messages()) topics.insert(line.substr(line.find("t=t/"), 5));
  EXPECT_EQ(topics, (std::set<std::string>{"t=t/1", "t=t/2", "t=t/3"}));
  world.advance(1s);
  EXPECT_EQ(world.count("subscription WHERE replays = 1"), 0);
}

struct Replaying {
  Replaying() {
    config.limits.in_flight = 1;
    world.emplace(config);
    p.emplace(world->rig);
    p->enter("id=p clean");
    for (int i = 1; i <= 4; ++i) p->send(fmt::format("PUBLISH q=2 id=1 retain t=t/{} p={}", i, i));
  }
  /// Comes again, and takes `count` messages to the end.
  void take(std::size_t count) {
    Client r{world->rig};
    r.acknowledges = false;
    r.enter("id=r session_expiry_interval=100");
    if (topics.empty()) r.subscribe("t/#:2");
    while (count > 0) {
      for (const std::string& line : r.take_messages()) {
        topics.push_back(line.substr(line.find("t=t/"), 5));
        const std::string id =
            line.substr(line.find("id="), line.find(' ', line.find("id=")) - line.find("id="));
        r.send("PUBREC " + id);
        r.send("PUBCOMP " + id);
        if (--count == 0) break;
      }
    }
    world->kill();
  }

  broker::BrokerConfig config;
  std::optional<DurableRig> world;
  std::optional<Client> p;
  std::vector<std::string> topics;
};

TEST(Recovery, RetainedMessagesOfQos2ComeOnce) {
  Replaying c;
  c.take(2);
  EXPECT_EQ(c.world->count("replay_sent"), 3) << "one more is on its way";
  c.take(1);
  c.p->enter("id=p clean");
  c.p->send("PUBLISH q=2 id=1 retain t=t/5 p=live");
  c.take(2);
  Client r{c.world->rig};
  r.enter("id=r session_expiry_interval=100");
  for (const std::string& line : r.take_messages()) c.topics.push_back(line.substr(line.find("t=t/"), 5));
  c.world->advance(1s);
  EXPECT_EQ(c.world->count("replay_sent"), 0);
  EXPECT_EQ(c.topics.size(), 5u);
  EXPECT_EQ((std::set<std::string>{c.topics.begin(), c.topics.end()}).size(), 5u);
}

TEST(Recovery, WhatAReplayHasSentIsForgottenWithItsSubscription) {
  for (const char* const end : {"UNSUBSCRIBE id=9 f=t/#", "DISCONNECT session_expiry_interval=0"}) {
    Replaying c;
    c.take(2);
    Client r{c.world->rig};
    r.acknowledges = false;
    r.enter("id=r session_expiry_interval=100");
    r.send(end);
    c.world->advance(1s);
    EXPECT_EQ(c.world->count("replay_sent"), 0) << end;
  }
}

TEST(Recovery, LeavingAGroupIsRemembered) {
  DurableRig world;
  Client a{world.rig}, b{world.rig}, p{world.rig};
  a.acknowledges = false;
  a.enter("id=a clean session_expiry_interval=100");
  a.subscribe("$share/g/t:1");
  p.enter("id=p clean");
  p.send("PUBLISH q=1 id=1 t=t p=x");
  a.send("UNSUBSCRIBE id=9 f=$share/g/t");
  b.enter("id=b clean session_expiry_interval=100");
  b.subscribe("$share/g/t:1");
  world.kill();
  a.enter(
      "id=a clean session_expiry_interval=100");  // the session ends: the message was its own [MQTT-3.10.4-3]
  b.enter("id=b session_expiry_interval=100");
  EXPECT_EQ(b.count("PUBLISH"), 0u);
}

TEST(Recovery, ACleanStartThatWasAnsweredStays) {
  DurableRig r;
  Client a{r.rig};
  a.enter("id=a clean session_expiry_interval=60");
  a.cut();
  r.advance(1s);
  ASSERT_EQ(r.count("session"), 1);
  a.enter("id=a clean");
  r.kill();
  EXPECT_EQ(r.count("session"), 0);
}

}  // namespace
}  // namespace mqtt::test
