#include <mqtt/bridge/topic_rule.hpp>

#include <gtest/gtest.h>

namespace mqtt::bridge {
namespace {

TopicRules rules(std::initializer_list<std::string_view> texts) {
  std::vector<TopicRule> list;
  for (const std::string_view text : texts) list.push_back(parse_topic_rule(text).value());
  return TopicRules{std::move(list)};
}

TEST(TopicRule, HasMosquittosOrderOfWords) {
  const TopicRule rule = parse_topic_rule("a/# both 2 here/ there/").value();
  EXPECT_EQ(rule.local_filter(), "here/a/#");
  EXPECT_EQ(rule.remote_filter(), "there/a/#");
  EXPECT_EQ(rule.qos, QoS::exactly_once);
  EXPECT_TRUE(rule.goes_out() && rule.comes_in());
}

TEST(TopicRule, GoesOutAtQos1WithoutMoreWords) {
  const TopicRule rule = parse_topic_rule("a").value();
  EXPECT_EQ(rule.qos, QoS::at_least_once);
  EXPECT_TRUE(rule.goes_out());
  EXPECT_FALSE(rule.comes_in());
}

TEST(TopicRule, QuotedWordsMayBeEmptyOrHaveSpaces) {
  const TopicRule rule = parse_topic_rule("\"a b/#\"  in 0 \"\" \"x y/\"").value();
  EXPECT_EQ(rule.local_filter(), "a b/#");
  EXPECT_EQ(rule.remote_filter(), "x y/a b/#");
}

TEST(TopicRule, WhatCannotBeOneIsRefused) {
  for (const std::string_view text :
       {"", "  ", "a up", "a out 3", "a out 1 b c d", "\"a", "\"a\"b", "a/#/b", "a out 1 +/", "\"\" out",
        "\"\" out 1 a", "$share/g/a", "a out 1 $share/g/"})
    EXPECT_FALSE(parse_topic_rule(text)) << text;
}

TEST(TopicRules, MoveTopicsFromPrefixToPrefix) {
  const TopicRules out = rules({"a/# out 1 here/ there/"});
  EXPECT_EQ(out.to_remote("here/a/b"), "there/a/b");
  EXPECT_EQ(out.to_remote("here/a"), "there/a");
  EXPECT_EQ(out.to_remote("here/b"), std::nullopt);
  EXPECT_EQ(out.to_local("there/a/b"), std::nullopt);
  EXPECT_EQ(rules({"a/# in 1 here/ there/"}).to_local("there/a/b"), "here/a/b");
}

TEST(TopicRules, AnEmptyPatternIsOneTopicForAnother) {
  const TopicRules one = rules({"\"\" both 1 here there"});
  EXPECT_EQ(one.to_remote("here"), "there");
  EXPECT_EQ(one.to_local("there"), "here");
  EXPECT_EQ(one.to_remote("here/a"), std::nullopt);
}

TEST(TopicRules, TheFirstThatFitsCounts) {
  EXPECT_EQ(rules({"a out 1 \"\" x/", "# out 1 \"\" y/"}).to_remote("a"), "x/a");
}

TEST(TopicRules, AnAnswerComesBackToWhereItsRequestSaid) {
  const TopicRules two_ways = rules({"req/# out 1 here/ there/", "ans/# in 1 here/ there/"});
  EXPECT_EQ(two_ways.response_to_remote("here/ans/1"), "there/ans/1");
  EXPECT_EQ(two_ways.response_to_remote("here/req/1"), std::nullopt) << "nothing comes back there";
  EXPECT_EQ(two_ways.response_to_remote("ans/1"), std::nullopt);
  EXPECT_EQ(two_ways.response_to_local("there/req/1"), "here/req/1");
  EXPECT_EQ(two_ways.response_to_local("there/ans/1"), std::nullopt);
  EXPECT_EQ(rules({"a/# both"}).response_to_remote("a/1"), "a/1");
}

TEST(TopicRules, AnAnswerThatAnEarlierRuleTakesElsewhereIsNone) {
  EXPECT_EQ(rules({"x/# in 1 other/", "# in 1 here/"}).response_to_remote("here/x/1"), std::nullopt);
  EXPECT_EQ(rules({"# in 1 wrong/ there/", "# in 1 here/"}).response_to_remote("here/x"), "x");
}

TEST(TopicRules, StatisticsGoOverOnlyIfNamed) {
  EXPECT_EQ(rules({"# out"}).to_remote("$SYS/broker/uptime"), std::nullopt);
  EXPECT_EQ(rules({"$SYS/# out 0 \"\" edge/"}).to_remote("$SYS/broker/uptime"), "edge/$SYS/broker/uptime");
}

}  // namespace
}  // namespace mqtt::bridge
