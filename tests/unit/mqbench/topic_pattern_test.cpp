#include "mqbench/topic_pattern.hpp"

#include <gtest/gtest.h>

namespace {

using mq::bench::TopicPattern;

TEST(TopicPattern, HasFields) {
  const auto pattern = TopicPattern::parse("plant/{run}/dev-{t:300}/temp");
  ASSERT_TRUE(pattern) << pattern.error();
  EXPECT_EQ(pattern->count(), 300U);
  EXPECT_EQ(pattern->name(0xAB, 299), "plant/0000ab/dev-299/temp");
  EXPECT_EQ(pattern->filter(0xAB), "plant/0000ab/+/temp");
  EXPECT_TRUE(pattern->has_run());
}

TEST(TopicPattern, AnyLevelCanBeTheNumber) {
  EXPECT_EQ(TopicPattern::parse("{t}")->filter(1), "+");
  EXPECT_EQ(TopicPattern::parse("{t}/a/{t}{t}")->filter(1), "+/a/+");
  EXPECT_EQ(TopicPattern::parse("{t}/a/{t:7}")->name(1, 6), "6/a/6");
}

TEST(TopicPattern, WithoutANumberThereIsOneTopic) {
  const auto pattern = TopicPattern::parse("a/b");
  EXPECT_TRUE(pattern->is_one());
  EXPECT_FALSE(pattern->has_run());
  EXPECT_EQ(pattern->filter(1), "a/b");
}

TEST(TopicPattern, OtherFieldsAndWildcardsAreRefused) {
  for (const char* text :
       {"", "{p}", "{t", "a{}", "{t:0}", "{t:x}", "{t:99999999}", "{t:1}/{t:2}", "a/+", "a/#", "a/{run:1}"})
    EXPECT_FALSE(TopicPattern::parse(text)) << text;
}

}  // namespace
