#include <mqtt/broker/topic_limits.hpp>
#include <mqtt/broker/topic_tree.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/subscription_exercise.hpp"

namespace mqtt::broker::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Subscription by(SubscriberId subscriber, std::uint32_t identifier = 0) {
  return {subscriber, {.qos = QoS::at_least_once}, identifier};
}

/// The subscribers of ordinary subscriptions that match, and the names of groups, in order.
struct Found {
  std::vector<SubscriberId> ordinary;
  std::vector<std::string> groups;

  void operator()(const Subscription& s) { ordinary.push_back(s.subscriber); }
  void operator()(ShareGroup& group) { groups.emplace_back(group.name()); }
};

Found match(TopicTree& tree, std::string_view topic) {
  Found found;
  tree.match(topic, found);
  std::ranges::sort(found.ordinary);
  std::ranges::sort(found.groups);
  return found;
}

bool matches(std::string_view filter, std::string_view topic) {
  TopicTree tree;
  tree.subscribe(filter, by(1));
  const Found found = match(tree, topic);
  return found.ordinary.size() + found.groups.size() == 1;
}

TEST(TopicTree, Mqtt_4_7_1_2_ExamplesOfTheMultiLevelWildcard) {
  EXPECT_TRUE(matches("sport/tennis/player1/#", "sport/tennis/player1"));
  EXPECT_TRUE(matches("sport/tennis/player1/#", "sport/tennis/player1/ranking"));
  EXPECT_TRUE(matches("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"));
  EXPECT_TRUE(matches("sport/#", "sport"));  // '#' includes the parent level
  EXPECT_TRUE(matches("#", "sport/tennis"));
  EXPECT_TRUE(matches("#", "/"));
  EXPECT_TRUE(matches("sport/tennis/#", "sport/tennis/player1"));
  EXPECT_FALSE(matches("sport/tennis/#", "sport"));
}

TEST(TopicTree, Mqtt_4_7_1_3_ExamplesOfTheSingleLevelWildcard) {
  EXPECT_TRUE(matches("sport/tennis/+", "sport/tennis/player1"));
  EXPECT_TRUE(matches("sport/tennis/+", "sport/tennis/player2"));
  EXPECT_FALSE(matches("sport/tennis/+", "sport/tennis/player1/ranking"));
  EXPECT_FALSE(matches("sport/+", "sport"));
  EXPECT_TRUE(matches("sport/+", "sport/"));
  EXPECT_TRUE(matches("+", "sport"));
  EXPECT_TRUE(matches("+/tennis/#", "sport/tennis/player1"));
  EXPECT_TRUE(matches("sport/+/player1", "sport/tennis/player1"));
  EXPECT_TRUE(matches("+/+", "/finance"));
  EXPECT_TRUE(matches("/+", "/finance"));
  EXPECT_FALSE(matches("+", "/finance"));
}

TEST(TopicTree, Mqtt_4_7_2_1_FirstLevelWildcardsLeaveDollarTopicsOut) {
  EXPECT_FALSE(matches("#", "$SYS/uptime"));
  EXPECT_FALSE(matches("#", "$SYS"));
  EXPECT_FALSE(matches("+/monitor/Clients", "$SYS/monitor/Clients"));
  EXPECT_FALSE(matches("+", "$SYS"));
  EXPECT_FALSE(matches("$share/g/#", "$SYS/uptime"));
  EXPECT_TRUE(matches("$SYS/#", "$SYS/monitor/Clients"));
  EXPECT_TRUE(matches("$SYS/#", "$SYS"));
  EXPECT_TRUE(matches("$SYS/monitor/+", "$SYS/monitor/Clients"));
  EXPECT_TRUE(matches("$share/g/$SYS/+", "$SYS/uptime"));
  EXPECT_TRUE(matches("a/#", "a/$b"));  // only the first level is special
  EXPECT_TRUE(matches("+/+", "a/$b"));
}

TEST(TopicTree, Mqtt_4_7_2_BothSubscriptionsNeededForEverything) {
  TopicTree tree;
  tree.subscribe("#", by(1));
  tree.subscribe("$SYS/#", by(1));
  EXPECT_THAT(match(tree, "$SYS/a").ordinary, ElementsAre(1));
  EXPECT_THAT(match(tree, "a").ordinary, ElementsAre(1));
}

TEST(TopicTree, Mqtt_4_7_3_TopicsAreComparedByteByByte) {
  EXPECT_FALSE(matches("ACCOUNTS", "Accounts"));
  EXPECT_TRUE(matches("Accounts payable", "Accounts payable"));
  EXPECT_FALSE(matches("/finance", "finance"));
  EXPECT_TRUE(matches("/", "/"));
  EXPECT_FALSE(matches("a/", "a"));
  EXPECT_TRUE(matches("a//b", "a//b"));
  EXPECT_FALSE(matches("a//b", "a/b"));
  EXPECT_TRUE(matches("a/+/b", "a//b"));
}

TEST(TopicTree, Mqtt_3_8_4_3_SubscribingAgainReplaces) {
  TopicTree tree;
  EXPECT_FALSE(tree.subscribe("a/+", by(1, 5)).existed);
  EXPECT_TRUE(tree.subscribe("a/+", by(1, 6)).existed);
  EXPECT_EQ(tree.size(), 1u);
  ASSERT_NE(tree.find("a/+", 1), nullptr);
  EXPECT_EQ(*tree.find("a/+", 1), by(1, 6));
  EXPECT_FALSE(tree.subscribe("a/+", by(2)).existed);
  EXPECT_TRUE(tree.subscribe("a/+", by(2, 9)).existed);
  EXPECT_EQ(tree.find("a/+", 2)->identifier, 9u);
  EXPECT_EQ(tree.find("a/+", 3), nullptr);
  EXPECT_EQ(tree.find("a/b", 1), nullptr);
}

TEST(TopicTree, Mqtt_3_3_4_OverlappingSubscriptionsAreAllVisited) {
  TopicTree tree;
  for (const char* filter : {"a/b", "a/+", "+/b", "a/#", "#", "a/b/#", "+/+"}) tree.subscribe(filter, by(1));
  EXPECT_EQ(match(tree, "a/b").ordinary.size(), 7u);
  EXPECT_EQ(match(tree, "a").ordinary.size(), 2u);
}

TEST(TopicTree, Mqtt_3_10_4_1_UnsubscribingNeedsTheSameFilter) {
  TopicTree tree;
  const auto position = tree.subscribe("a/b", by(1)).position;
  EXPECT_FALSE(tree.unsubscribe("a/+", 1));
  EXPECT_FALSE(tree.unsubscribe("a", 1));
  EXPECT_FALSE(tree.unsubscribe("a/b", 2));
  EXPECT_FALSE(tree.unsubscribe("$share/g/a/b", 1));
  EXPECT_EQ(tree.unsubscribe("a/b", 1), position);
  EXPECT_FALSE(tree.unsubscribe("a/b", 1));
  EXPECT_THAT(match(tree, "a/b").ordinary, IsEmpty());
}

TEST(TopicTree, Mqtt_4_8_2_GroupsAreKeyedByNameAndFilter) {
  TopicTree tree;
  tree.subscribe("$share/consumer1/sport/tennis/+", by(1));
  tree.subscribe("$share/consumer2/sport/tennis/+", by(1));
  tree.subscribe("$share/consumer1//finance", by(1));
  tree.subscribe("$share/consumer1/+/finance", by(1));
  tree.subscribe("sport/tennis/+", by(1));
  EXPECT_EQ(tree.size(), 5u);
  EXPECT_THAT(match(tree, "sport/tennis/player1").groups, ElementsAre("consumer1", "consumer2"));
  EXPECT_THAT(match(tree, "sport/tennis/player1").ordinary, ElementsAre(1));
  EXPECT_THAT(match(tree, "/finance").groups, ElementsAre("consumer1", "consumer1"));
  EXPECT_THAT(match(tree, "finance").groups, IsEmpty());
}

TEST(TopicTree, Mqtt_4_8_2_ExampleOfThreeGroupsAndAnOrdinarySubscription) {
  TopicTree tree;
  for (SubscriberId s = 1; s <= 3; ++s) tree.subscribe("$share/g/a", by(s));
  tree.subscribe("$share/g/a/#", by(4));
  tree.subscribe("$share/h/a", by(1));
  tree.subscribe("a", by(2));
  const Found found = match(tree, "a");
  EXPECT_THAT(found.groups, ElementsAre("g", "g", "h"));
  EXPECT_THAT(found.ordinary, ElementsAre(2));
}

TEST(TopicTree, APositionIsEnoughToFindAndToRemove) {
  TopicTree tree;
  for (const char* filter :
       {"a", "/", "#", "a/+/#", "$share/g/a", "$share/g//", "$share/g/a level of more than 14/b"}) {
    const auto position = tree.subscribe(filter, by(7)).position;
    EXPECT_EQ(tree.filter_of(position), filter);
    EXPECT_EQ(tree.find(position, 7), tree.find(filter, 7));
    EXPECT_EQ(tree.position_of(filter), position);
    const ShareGroup* group = tree.group_at(position);
    EXPECT_TRUE(!group || tree.position_of(*group) == position);
    EXPECT_EQ(tree.group_at(position) != nullptr, std::string_view{filter}.starts_with("$share"));
    EXPECT_EQ(tree.find(position, 8), nullptr);
    EXPECT_FALSE(tree.remove(position, 8));
    EXPECT_TRUE(tree.remove(position, 7));
    EXPECT_EQ(tree.find(filter, 7), nullptr);
  }
  EXPECT_EQ(tree.size(), 0u);
}

TEST(TopicTree, WithoutANameShareIsAnOrdinaryTopic) {
  EXPECT_TRUE(matches("$share", "$share"));
  EXPECT_TRUE(matches("$shared/#", "$shared/a"));
}

std::vector<SubscriberId> turns(ShareGroup& group, int times) {
  std::vector<SubscriberId> order;
  for (; times > 0; --times) order.push_back(group.members()[group.next_start()].subscriber);
  return order;
}

TEST(ShareGroup, TakesTurns) {
  TopicTree tree;
  for (const SubscriberId s : {3u, 1u, 2u}) tree.subscribe("$share/g/a", by(s));
  ShareGroup& group = *tree.group_at(tree.subscribe("$share/g/a", by(2)).position);
  EXPECT_EQ(group.members().size(), 3u);
  const auto order = turns(group, 6);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(order[i], order[i + 3]);
  EXPECT_THAT(std::set<SubscriberId>(order.begin(), order.begin() + 3), ElementsAre(1, 2, 3));
}

TEST(ShareGroup, ComingAndGoingDoesNotChangeWhoseTurnItIs) {
  TopicTree tree;
  const auto position = tree.subscribe("$share/g/a", by(20)).position;
  tree.subscribe("$share/g/a", by(30));
  ShareGroup& group = *tree.group_at(position);
  EXPECT_THAT(turns(group, 1), ElementsAre(20));
  tree.subscribe("$share/g/a", by(10));  // stands before the one whose turn it is
  EXPECT_THAT(turns(group, 1), ElementsAre(30));
  EXPECT_THAT(turns(group, 1), ElementsAre(10));
  tree.unsubscribe("$share/g/a", 10);
  EXPECT_THAT(turns(group, 1), ElementsAre(20));
  tree.unsubscribe("$share/g/a", 30);  // it was its turn, and it was the last
  EXPECT_THAT(turns(group, 2), ElementsAre(20, 20));
}

TEST(ShareGroup, EndsWithItsLastMember) {
  TopicTree tree;
  tree.subscribe("$share/g/a", by(1));
  tree.subscribe("$share/h/a", by(1));
  tree.unsubscribe("$share/g/a", 1);
  EXPECT_THAT(match(tree, "a").groups, ElementsAre("h"));
  tree.subscribe("$share/g/a", by(2));
  EXPECT_THAT(match(tree, "a").groups, ElementsAre("g", "h"));
  EXPECT_EQ(tree.group_at(tree.subscribe("$share/g/a", by(2)).position)->members().size(), 1u);
}

TEST(TopicTree, ManySubscribersOfOneFilterComeAndGo) {
  TopicTree tree;
  for (SubscriberId s = 0; s < 1000; ++s) tree.subscribe("a/+", by(s * 7919 % 1000));
  EXPECT_EQ(match(tree, "a/b").ordinary.size(), 1000u);
  for (SubscriberId s = 0; s < 1000; s += 2) EXPECT_TRUE(tree.unsubscribe("a/+", s));
  EXPECT_EQ(match(tree, "a/b").ordinary.size(), 500u);
  for (SubscriberId s = 1; s < 1000; s += 2) EXPECT_TRUE(tree.unsubscribe("a/+", s));
  EXPECT_EQ(tree.size(), 0u);
}

TEST(TopicTree, WhatComesAndGoesLeavesNothingBehind) {
  TopicTree tree;
  const auto round = [&](SubscriberId subscriber) {
    for (SubscriberId i = 0; i < 2000; ++i)
      tree.subscribe(std::to_string(i + subscriber * 10'000) + "/+/#", by(subscriber));
    const std::size_t full = tree.memory_bytes();
    for (SubscriberId i = 0; i < 2000; ++i)
      tree.unsubscribe(std::to_string(i + subscriber * 10'000) + "/+/#", subscriber);
    return full;
  };
  const std::size_t first = round(1);
  for (SubscriberId s = 2; s < 6; ++s) EXPECT_EQ(round(s), first);
}

TEST(TopicTree, FiltersAndTopicsOf65535BytesAreOnlyLong) {
  const std::string slashes(65'535, '/');
  std::string pluses;
  while (pluses.size() + 2 < 65'535) pluses += "+/";
  EXPECT_TRUE(matches(slashes, slashes));
  EXPECT_TRUE(matches("#", slashes));
  EXPECT_TRUE(matches(pluses + '#', slashes));
  EXPECT_TRUE(matches("$share/g/" + pluses + '#', slashes));
  EXPECT_FALSE(matches(pluses + "+", slashes));
}

/// However filters are made, a match goes through the topic's own levels and, of each filter, through those
/// that count_branching_levels() has charged it for.
TEST(TopicTree, WhatAMatchCostsIsWhatItsFiltersAreChargedFor) {
  constexpr std::size_t levels = 16;
  TopicTree tree;
  std::size_t charged = 0;
  for (std::uint32_t number = 0; number < 1U << levels; number += 7) {
    std::string filter;
    for (std::size_t level = 0; level < levels; ++level) filter += (number >> level & 1) != 0 ? "/+" : "/a";
    filter += number % 3 == 0 ? "/#" : "/x";  // most do not even match
    tree.subscribe(filter.substr(1), by(1));
    charged += count_branching_levels(filter);
  }
  std::string topic = "a";
  for (std::size_t level = 1; level < levels; ++level) topic += "/a";
  (void)match(tree, topic);
  EXPECT_GT(tree.visited(), 9000u);
  EXPECT_LE(tree.visited(), 1 + levels + charged);
  (void)match(tree, "b/" + topic.substr(2));
  EXPECT_LE(tree.visited(), 1 + levels + charged);
}

TEST(TopicTree, UnrelatedFiltersCostNothing) {
  TopicTree tree;
  for (int i = 0; i < 20'000; ++i) tree.subscribe("devices/" + std::to_string(i) + "/+/state", by(1));
  EXPECT_EQ(match(tree, "devices/77/door/state").ordinary.size(), 1u);
  EXPECT_EQ(tree.visited(), 5u);
}

TEST(TopicTree, AgreesWithComparingEachFilter) {
  std::mt19937 random{42};
  for (int round = 0; round < 4; ++round) {
    std::vector<std::uint8_t> bytes(20'000);
    std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(random()); });
    const auto fault = mqtt::test::SubscriptionExercise{fuzz::Input{bytes}}.run();
    EXPECT_FALSE(fault) << *fault;
  }
}

}  // namespace
}  // namespace mqtt::broker::test
