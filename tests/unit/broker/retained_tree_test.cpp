#include <mqtt/broker/retained_tree.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/retained_exercise.hpp"

namespace mqtt::broker::test {
namespace {

using mqtt::test::opaque_message;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// Retained messages that know their topics, and replays of them as lists of topics.
class Topics {
 public:
  explicit Topics(std::initializer_list<const char*> topics) {
    for (const char* topic : topics) set(topic);
  }
  void set(const std::string& topic) {
    const MessagePtr message = opaque_message();
    names_[message] = topic;
    tree.set(topic, message);
  }
  [[nodiscard]] std::string next(RetainedTree::Cursor& cursor) { return name(cursor.next()); }
  [[nodiscard]] std::vector<std::string> rest(RetainedTree::Cursor& cursor) {
    std::vector<std::string> all;
    while (const MessagePtr message = cursor.next()) all.push_back(name(message));
    EXPECT_TRUE(cursor.done());
    return all;
  }
  [[nodiscard]] std::vector<std::string> replay(std::string_view filter) {
    RetainedTree::Cursor cursor{tree, filter};
    return rest(cursor);
  }

 private:
  std::map<MessagePtr, std::string> names_;

  [[nodiscard]] std::string name(const MessagePtr& message) const {
    const auto entry = names_.find(message);
    return entry == names_.end() ? "none" : entry->second;
  }

 public:
  RetainedTree tree;
};

TEST(RetainedTree, Mqtt_3_3_1_5_ANewMessageReplaces) {
  RetainedTree tree;
  const MessagePtr first = opaque_message(), second = opaque_message();
  EXPECT_EQ(tree.set("a/b", first), nullptr);
  EXPECT_EQ(tree.set("a/b", second), first);
  EXPECT_EQ(tree.count(), 1u);
  ASSERT_NE(tree.find("a/b"), nullptr);
  EXPECT_EQ(tree.find("a/b")->message, second);
  EXPECT_EQ(tree.find("a"), nullptr);
  EXPECT_EQ(tree.find("a/b/c"), nullptr);
}

TEST(RetainedTree, Mqtt_3_3_1_6_ErasedIsGone) {
  RetainedTree tree;
  const MessagePtr message = opaque_message();
  tree.set("a/b", message);
  EXPECT_EQ(tree.erase("a"), nullptr);
  EXPECT_EQ(tree.erase("a/b"), message);
  EXPECT_EQ(tree.erase("a/b"), nullptr);
  EXPECT_EQ(tree.count(), 0u);
  EXPECT_EQ(tree.find("a/b"), nullptr);
}

TEST(RetainedTree, SequencesRise) {
  RetainedTree tree;
  tree.set("a", opaque_message());
  const auto first = tree.find("a")->sequence;
  tree.set("b", opaque_message());
  tree.set("a", opaque_message());
  EXPECT_LT(first, tree.find("b")->sequence);
  EXPECT_LT(tree.find("b")->sequence, tree.find("a")->sequence);
}

TEST(RetainedCursor, Mqtt_4_7_1_WalksWhatMatches) {
  Topics t{"sport", "sport/tennis", "sport/tennis/player1", "sport/", "/finance", "news"};
  EXPECT_THAT(t.replay("sport/tennis"), ElementsAre("sport/tennis"));
  EXPECT_THAT(t.replay("sport/#"),
              UnorderedElementsAre("sport", "sport/tennis", "sport/tennis/player1", "sport/"));
  EXPECT_THAT(t.replay("sport/+"), UnorderedElementsAre("sport/tennis", "sport/"));
  EXPECT_THAT(t.replay("+"), UnorderedElementsAre("sport", "news"));
  EXPECT_THAT(t.replay("+/+"), UnorderedElementsAre("sport/tennis", "sport/", "/finance"));
  EXPECT_THAT(t.replay("/+"), ElementsAre("/finance"));
  EXPECT_THAT(t.replay("+/tennis/#"), UnorderedElementsAre("sport/tennis", "sport/tennis/player1"));
  EXPECT_THAT(t.replay("+/+/#").size(), 4u);
  EXPECT_THAT(t.replay("#").size(), 6u);
  EXPECT_THAT(t.replay("sport/football/#"), IsEmpty());
  EXPECT_THAT(t.replay("tennis"), IsEmpty());
}

TEST(RetainedCursor, Mqtt_4_7_2_1_FirstLevelWildcardsLeaveDollarTopicsOut) {
  Topics t{"$SYS/uptime", "a", "$SYS", "$x", "b/$c"};
  EXPECT_THAT(t.replay("#"), ElementsAre("a", "b/$c"));
  EXPECT_THAT(t.replay("+"), ElementsAre("a"));
  EXPECT_THAT(t.replay("+/uptime"), IsEmpty());
  EXPECT_THAT(t.replay("$SYS/#"), ElementsAre("$SYS", "$SYS/uptime"));
  EXPECT_THAT(t.replay("$SYS/+"), ElementsAre("$SYS/uptime"));
  EXPECT_THAT(t.replay("b/+"), ElementsAre("b/$c"));
}

TEST(RetainedCursor, AnEmptyTreeHasNothing) {
  Topics t{};
  for (const char* filter : {"#", "+", "a", "+/#", "/"}) EXPECT_THAT(t.replay(filter), IsEmpty());
}

TEST(RetainedCursor, SiblingsComeInTheOrderTheyWereFirstSet) {
  Topics t{"c", "a", "b"};
  EXPECT_THAT(t.replay("#"), ElementsAre("c", "a", "b"));
}

TEST(RetainedCursor, WhatIsSetAfterItsStartReachesTheSubscriberLive) {
  Topics t{"a", "b", "c"};
  RetainedTree::Cursor cursor{t.tree, "#"};
  EXPECT_EQ(t.next(cursor), "a");
  t.set("b");
  t.set("d");
  EXPECT_THAT(t.rest(cursor), ElementsAre("c"));
  EXPECT_THAT(t.replay("#"), ElementsAre("a", "b", "c", "d"));
}

TEST(RetainedCursor, GoesOnWhenWhatItStandsOnIsErased) {
  Topics t{"a/1", "a/2/3", "a/2/4", "b"};
  RetainedTree::Cursor cursor{t.tree, "#"};
  EXPECT_EQ(t.next(cursor), "a/1");
  EXPECT_EQ(t.next(cursor), "a/2/3");
  for (const char* topic : {"a/2/3", "a/1", "a/2/4"}) t.tree.erase(topic);
  EXPECT_THAT(t.rest(cursor), ElementsAre("b"));
  EXPECT_THAT(t.replay("#"), ElementsAre("b"));
}

TEST(RetainedCursor, WhatWasErasedAndSetAgainIsNew) {
  Topics t{"a", "b"};
  RetainedTree::Cursor cursor{t.tree, "+"};
  EXPECT_EQ(t.next(cursor), "a");
  t.tree.erase("a");
  t.tree.erase("b");
  t.set("a");
  t.set("b");
  EXPECT_THAT(t.rest(cursor), IsEmpty());
}

TEST(RetainedCursor, HoldsNoNodesOnceDoneOrGone) {
  RetainedTree tree;
  for (int round = 0; round < 1000; ++round) {
    const std::string topic = "some level " + std::to_string(round) + "/x";
    tree.set(topic, opaque_message());
    RetainedTree::Cursor done{tree, "#"}, left{tree, "#"};
    while (done.next()) {
    }
    EXPECT_TRUE(left.next());
    tree.erase(topic);
  }
  RetainedTree fresh;
  fresh.set("some level 1234567/x", opaque_message());
  EXPECT_LE(tree.memory_bytes(), fresh.memory_bytes());
}

TEST(RetainedCursor, LooksAtNoMoreNodesThanItMay) {
  Topics t{"a/x", "b/x", "c/x", "d/y"};
  RetainedTree::Cursor cursor{t.tree, "+/y"};
  std::size_t calls = 0;
  MessagePtr found;
  for (; !found && !cursor.done(); ++calls) {
    std::size_t one = 1;
    found = cursor.next(one);
    EXPECT_EQ(one, 0u);
  }
  EXPECT_EQ(found, t.tree.find("d/y")->message);
  EXPECT_GE(calls, 4u);
  EXPECT_EQ(cursor.next(), nullptr);
  EXPECT_TRUE(cursor.done());
}

TEST(RetainedCursor, EndsWithItsTree) {
  auto tree = std::make_unique<RetainedTree>();
  tree->set("a", opaque_message());
  tree->set("b", opaque_message());
  RetainedTree::Cursor fresh{*tree, "#"}, standing{*tree, "#"};
  {
    const RetainedTree::Cursor first_to_go{*tree, "#"};
  }
  EXPECT_TRUE(standing.next());
  tree.reset();
  EXPECT_TRUE(fresh.done());
  EXPECT_EQ(standing.next(), nullptr);
}

TEST(RetainedCursor, TopicsAndFiltersOf65535BytesAreOnlyLong) {
  const std::string slashes(65'535, '/');
  std::string pluses;
  while (pluses.size() + 2 < 65'535) pluses += "+/";
  Topics t{"a"};
  t.set(slashes);
  EXPECT_THAT(t.replay(slashes), ElementsAre(slashes));
  EXPECT_THAT(t.replay(pluses + '#'), ElementsAre(slashes));
  EXPECT_THAT(t.replay("#").size(), 2u);
}

TEST(RetainedCursor, AgreesWithComparingEachTopicUnderRandomChanges) {
  std::mt19937 random{42};
  for (int round = 0; round < 4; ++round) {
    std::vector<std::uint8_t> bytes(20'000);
    std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(random()); });
    const auto fault = mqtt::test::RetainedExercise{fuzz::Input{bytes}}.run();
    EXPECT_FALSE(fault) << *fault;
  }
}

}  // namespace
}  // namespace mqtt::broker::test
