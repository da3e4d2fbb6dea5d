// What filters and topics of many levels cost, and who is refused for it.
#include "broker_test.hpp"

#include <fmt/format.h>

#include <mqtt/broker/topic_limits.hpp>

namespace mqtt::test {
namespace {

using broker::BrokerConfig;
using broker::weight_of;

std::string deep_filter(std::size_t levels, std::uint32_t number) {
  std::string filter = fmt::format("{}", number);
  for (std::size_t level = 1; level < levels; ++level) filter += "/a";
  return filter;
}

/// How many of such filters the client is granted.
std::size_t count_granted(Client& client, std::size_t levels, std::size_t tries) {
  std::size_t granted = 0;
  for (std::uint32_t i = 0; i < tries; ++i) {
    client.send(fmt::format("SUBSCRIBE id=1 f={}:0", deep_filter(levels, i)));
    const auto heard = client.take();
    EXPECT_EQ(heard.size(), 1u);
    granted += heard[0] == "SUBACK id=1 rc=0x00";
  }
  return granted;
}

TEST(BrokerWeight, OfAFilter) {
  EXPECT_EQ(weight_of("a"), 1u);
  EXPECT_EQ(weight_of("a/b/#"), 3u);
  EXPECT_EQ(weight_of("/"), 2u);
  EXPECT_EQ(weight_of("devices/17/+/state"), 8u);
  EXPECT_EQ(weight_of("+/+"), 6u);
  EXPECT_EQ(weight_of("$share/g/+/a"), 6u);
  EXPECT_EQ(weight_of(std::string(640, 'x')), 11u);
  EXPECT_EQ(weight_of("$share/" + std::string(640, 'x') + "/a"), 11u);
}

TEST(BrokerWeight, FiltersOfManyLevelsCountForMore) {
  BrokerConfig config;
  config.limits.subscriptions_per_client = 1000;
  config.limits.topic_levels = 200;
  Rig rig{config};
  Client a{rig};
  a.enter("id=a clean");
  EXPECT_EQ(count_granted(a, 128, 200), (8 * 1000 + 3 * 200 + 1023) / weight_of(deep_filter(128, 199)));
  a.send("SUBSCRIBE id=1 f=a/b/c/d:0 f=x:0");  // there is room for smaller ones, until there is none at all
  EXPECT_THAT(a.take(), ElementsAre("SUBACK id=1 rc=0x00,0x00"));
}

TEST(BrokerWeight, WildcardsOfManyLevelsCountForMoreStill) {
  Rig rig;
  Client a{rig};
  a.enter("id=a clean");
  std::size_t granted = 0;
  for (std::uint32_t i = 0; i < 1U << 16; i += 5) {
    std::string line = "SUBSCRIBE id=1 f=";
    for (std::uint32_t level = 0; level < 16; ++level) line += (i >> level & 1) != 0 ? "+/" : "a/";
    a.send(line + "#:0");
    granted += a.take() == std::vector<std::string>{"SUBACK id=1 rc=0x00"};
  }
  EXPECT_GT(granted, 3000u);
  EXPECT_LT(granted, 5000u);
}

TEST(BrokerWeight, GoesWithItsSubscriptions) {
  BrokerConfig config;
  config.limits.subscriptions_per_client = 100;
  Rig rig{config};
  Client a{rig, Version::v3_1_1};
  a.enter("id=a clean");
  const std::size_t granted = count_granted(a, 100, 100);
  EXPECT_LT(granted, 100u);
  a.send(fmt::format("SUBSCRIBE id=1 f={}:0 f={}:1", deep_filter(100, 999), deep_filter(100, 0)));
  EXPECT_THAT(a.take(), ElementsAre("SUBACK id=1 rc=0x80,0x01"));  // the second one replaces
  a.send("UNSUBSCRIBE id=1 f=" + deep_filter(100, 0));
  a.send("UNSUBSCRIBE id=1 f=" + deep_filter(100, 0));
  a.take();
  EXPECT_EQ(count_granted(a, 100, 2), 2u);  // one is there
  EXPECT_EQ(rig.counters().subscriptions, granted);
}

TEST(BrokerWeight, OfAllClientsIsBoundedToo) {
  BrokerConfig config;
  config.limits.subscriptions = 100;
  Rig rig{config};
  Client a{rig}, b{rig};
  a.enter("id=a clean");
  b.enter("id=b clean");
  const std::size_t granted = count_granted(a, 100, 100);
  EXPECT_LT(granted, 100u);
  EXPECT_EQ(count_granted(b, 99, 1), 0u);
  a.cut();  // its session ends
  EXPECT_EQ(count_granted(b, 100, 100), granted);
}

TEST(BrokerWeight, ATopicAndAFilterOf128LevelsWork) {
  Rig rig;
  Client a{rig};
  a.enter("id=a clean");
  std::string filter = "+";
  for (int i = 1; i < 128; ++i) filter += "/+";
  a.subscribe(filter + ":0");
  const std::string topic = deep_filter(128, 1);
  a.send("PUBLISH t=" + topic + " p=x");
  EXPECT_THAT(a.take(), ElementsAre("PUBLISH q=0 id=0 t=" + topic + " p=x"));
}

TEST(BrokerWeight, TheHighestLimitIsNone) {
  BrokerConfig config;
  config.limits.subscriptions_per_client = config.limits.subscriptions = static_cast<std::size_t>(-1);
  Rig rig{config};
  Client a{rig};
  a.enter("id=a clean");
  EXPECT_EQ(count_granted(a, 128, 20), 20u);
}

}  // namespace
}  // namespace mqtt::test
