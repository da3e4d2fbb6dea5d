#include <gtest/gtest.h>

#include <mqtt/session/alias.hpp>

namespace mqtt {
namespace {

TEST(OutgoingAliases, GivesAliasesFirstComeWhileThereIsRoom) {
  OutgoingAliases aliases;
  EXPECT_EQ(aliases.choose("a", 0).alias, 0) << "the peer allows none [MQTT-3.2.2-18]";
  EXPECT_EQ(aliases.choose("a", 2).alias, 1);
  EXPECT_EQ(aliases.choose("b", 2).alias, 1) << "choosing changes nothing";
  aliases.set(1, "a");
  EXPECT_TRUE(aliases.choose("a", 2).known);
  EXPECT_EQ(aliases.choose("b", 2).alias, 2);
  aliases.set(2, "b");
  EXPECT_EQ(aliases.choose("c", 2).alias, 0);
}

TEST(OutgoingAliases, SettingAnAliasAnewForgetsItsFormerTopic) {
  OutgoingAliases aliases;
  aliases.set(1, "a");
  aliases.set(1, "b");
  EXPECT_EQ(aliases.find(1), "b");
  EXPECT_FALSE(aliases.choose("a", 5).known);
  aliases.set(3, "b");
  aliases.set(1, "c");
  EXPECT_TRUE(aliases.choose("b", 5).known) << "by alias 3";
  EXPECT_EQ(aliases.choose("b", 5).alias, 3);
}

TEST(IncomingAliases, HoldATopicUntilItIsSetAnew) {
  IncomingAliases aliases;
  EXPECT_EQ(aliases.find(0), "");
  EXPECT_EQ(aliases.find(7), "");
  aliases.set(7, "a");
  aliases.set(65'535, "z");
  EXPECT_EQ(aliases.find(7), "a");
  EXPECT_EQ(aliases.find(65'535), "z");
  EXPECT_EQ(aliases.find(6), "");
  aliases.set(7, "b");
  EXPECT_EQ(aliases.find(7), "b");
}

}  // namespace
}  // namespace mqtt
