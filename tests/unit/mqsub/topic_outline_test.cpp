#include "mqsub/topic_outline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mq {
namespace {

using ::testing::ElementsAre;

void add_example(TopicOutline& outline) {
  outline.add("a/x", "1");
  outline.add("a/x", "2");
  outline.add("a/y/z", "3");
  outline.add("a", "own");
  outline.add("b", "\x1b[2J");
}

TEST(TopicOutline, DrawsTheTree) {
  TopicOutline outline;
  add_example(outline);
  EXPECT_THAT(outline.lines(100), ElementsAre("├─ a = own (1)", "│  ├─ x = 2 (2)", "│  └─ y",
                                              "│     └─ z = 3 (1)", "└─ b = \\e[2J (1)"));
  EXPECT_EQ(outline.topics(), 4U);
  EXPECT_EQ(outline.messages(), 5U);
}

TEST(TopicOutline, FoldsWhatDoesNotFit) {
  TopicOutline outline;
  add_example(outline);
  EXPECT_THAT(outline.lines(4), ElementsAre("├─ a = own (1)", "│  ├─ x = 2 (2)",
                                            "│  └─ y … 1 topic, 1 message", "└─ b = \\e[2J (1)"));
  EXPECT_THAT(outline.lines(2), ElementsAre("├─ a = own (1) … 2 topics, 3 messages", "└─ b = \\e[2J (1)"));
  EXPECT_THAT(outline.lines(1), ElementsAre("… 2 more"));
}

TEST(TopicOutline, ABranchThatDoesNotFitFoldsAlone) {
  TopicOutline outline;
  for (int i = 0; i < 9; ++i) outline.add("many/" + std::to_string(i), "x");
  outline.add("one/two/three", "1");
  EXPECT_THAT(outline.lines(6),
              ElementsAre("├─ many … 9 topics, 9 messages", "└─ one", "   └─ two", "      └─ three = 1 (1)"));
  EXPECT_THAT(outline.lines(3),
              ElementsAre("├─ many … 9 topics, 9 messages", "└─ one", "   └─ two … 1 topic, 1 message"));
}

TEST(TopicOutline, EmptyLevelsAreLevels) {
  TopicOutline outline;
  outline.add("/a", "1");
  EXPECT_THAT(outline.lines(10), ElementsAre("└─ ", "   └─ a = 1 (1)"));
}

TEST(TopicOutline, ItsMemoryIsBounded) {
  TopicOutline outline;
  for (std::size_t i = 0; i < TopicOutline::nodes_max + 100; ++i)
    outline.add(std::to_string(i), std::string(1000, 'x'));
  EXPECT_EQ(outline.topics(), TopicOutline::nodes_max);
  EXPECT_EQ(outline.messages(), TopicOutline::nodes_max + 100);
}

TEST(TopicOutline, ADeepTopicIsDrawnWithoutExhaustingTheStack) {
  TopicOutline outline;
  outline.add(std::string(65'535, '/'), "x");
  EXPECT_EQ(outline.topics(), 1U);
  EXPECT_EQ(outline.lines(1000).size(), TopicOutline::levels_max);
}

}  // namespace
}  // namespace mq
