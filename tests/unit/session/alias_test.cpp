#include <gtest/gtest.h>

#include <mqtt/session/alias.hpp>

namespace mqtt {
namespace {

TEST(OutgoingAliases, GivesAliasesFirstComeWhileThereIsRoom) {
  OutgoingAliases aliases;
  EXPECT_EQ(aliases.choose("a").alias, 0) << "the peer allows none [MQTT-3.2.2-18]";
  aliases.begin_connection(2);
  EXPECT_EQ(aliases.choose("a").alias, 1);
  EXPECT_EQ(aliases.choose("b").alias, 1) << "choosing changes nothing";
  aliases.set(1, "a");
  EXPECT_TRUE(aliases.choose("a").known);
  EXPECT_EQ(aliases.choose("b").alias, 2);
  aliases.set(2, "b");
  EXPECT_EQ(aliases.choose("c").alias, 0);
  aliases.begin_connection(2);
  EXPECT_FALSE(aliases.choose("a").known) << "aliases end with their connection";
}

TEST(OutgoingAliases, SettingAnAliasAnewForgetsItsFormerTopic) {
  OutgoingAliases aliases;
  aliases.begin_connection(5);
  aliases.set(1, "a");
  aliases.set(1, "b");
  EXPECT_EQ(aliases.find(1), "b");
  EXPECT_FALSE(aliases.choose("a").known);
  aliases.set(3, "b");
  aliases.set(1, "c");
  EXPECT_TRUE(aliases.choose("b").known) << "by alias 3";
  EXPECT_EQ(aliases.choose("b").alias, 3);
}

TEST(IncomingAliases, HoldATopicUntilItIsSetAnew) {
  IncomingAliases aliases;
  aliases.begin_connection(65'535);
  EXPECT_EQ(aliases.find(0), "");
  EXPECT_EQ(aliases.find(7), "");
  aliases.set(7, "a");
  aliases.set(65'535, "z");
  EXPECT_EQ(aliases.find(7), "a");
  EXPECT_EQ(aliases.find(65'535), "z");
  EXPECT_EQ(aliases.find(6), "");
  aliases.set(7, "b");
  EXPECT_EQ(aliases.find(7), "b");
  aliases.begin_connection(1);
  EXPECT_EQ(aliases.find(7), "");
}

}  // namespace
}  // namespace mqtt
