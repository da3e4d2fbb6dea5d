#include <mqtt/codec/topic.hpp>

#include <gtest/gtest.h>

#include <string>

namespace mqtt::test {
namespace {

struct Match {
  const char* filter;
  const char* name;
  bool matches;
};

constexpr Match matches[] = {
    {"sport/tennis/player1/#", "sport/tennis/player1", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
    {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
    {"sport/#", "sport", true},
    {"#", "a/b/c", true},
    {"#", "/", true},
    {"sport/tennis/+", "sport/tennis/player1", true},
    {"sport/tennis/+", "sport/tennis/player1/ranking", false},
    {"sport/+", "sport", false},
    {"sport/+", "sport/", true},
    {"+/+", "/finance", true},
    {"/+", "/finance", true},
    {"+", "/finance", false},
    {"a/b", "a/b", true},
    {"a/b", "a/B", false},
    {"a/b", "a/b/", false},
    {"a/", "a", false},
    {"a//b", "a//b", true},
    {"a/+/b", "a//b", true},
    {"+/b/#", "a/b", true},
    {"a/+/#", "a", false},
    {"a/+/#", "a/b", true},
    {" a", "a", false},
};

TEST(TopicMatches, Mqtt_4_7_1_Examples) {
  for (const Match& row : matches)
    EXPECT_EQ(topic_matches(row.filter, row.name), row.matches) << row.filter << " ~ " << row.name;
}

TEST(TopicMatches, Mqtt_4_7_2_1_WildcardFirstDoesNotMatchDollar) {
  EXPECT_FALSE(topic_matches("#", "$SYS/a"));
  EXPECT_FALSE(topic_matches("+/a", "$SYS/a"));
  EXPECT_TRUE(topic_matches("$SYS/#", "$SYS/a"));
  EXPECT_TRUE(topic_matches("$SYS/+", "$SYS/a"));
}

TEST(TopicName, AnythingButWildcardsNulAndEmpty) {
  for (const char* good : {"a", "/", "//", "a b", "$SYS", "\xEF\xBB\xBF", "a/\x01/b"})
    EXPECT_FALSE(find_topic_name_error(good)) << good;
  EXPECT_EQ(find_topic_name_error("")->clause.v5, "MQTT-4.7.3-1");
  EXPECT_EQ(find_topic_name_error("a/+")->offset, 2u);
  EXPECT_EQ(find_topic_name_error(std::string_view("a\0b", 3))->clause.v5, "MQTT-4.7.3-2");
  EXPECT_FALSE(find_topic_name_error(std::string(65'535, '/')));
  EXPECT_EQ(find_topic_name_error(std::string(65'536, '/'))->clause.v5, "MQTT-4.7.3-3");
}

TEST(TopicFilter, Mqtt_4_7_1_WildcardsStandAlone) {
  for (const char* good :
       {"#", "+", "a/#", "+/#", "/+/", "a/+/b", "$share/g/#", "$share/g//a", "$shared", "$share2/a"})
    EXPECT_FALSE(find_topic_filter_error(good)) << good;
  for (const char* bad : {"a#", "#/a", "a/#/b", "a+", "+a", "a/b+/c", "$share/g/a#", "$share/", "$share/g",
                          "$share/g/", "$share//a", "$share/a+b/c", "$share/#/c"})
    EXPECT_TRUE(find_topic_filter_error(bad)) << bad;
}

TEST(TopicFilter, SharedIsTakenApart) {
  EXPECT_EQ(split_shared("$share/g/a/+").share_name, "g");
  EXPECT_EQ(split_shared("$share/g/a/+").filter, "a/+");
  EXPECT_EQ(split_shared("$share/g//a").filter, "/a");
  EXPECT_EQ(split_shared("a/b").share_name, "");
  EXPECT_EQ(split_shared("a/b").filter, "a/b");
}

// CVE-2019-11779: a filter of very many levels must not cost stack.
TEST(TopicMatches, SixtyFiveThousandLevels) {
  const std::string slashes(65'535, '/');
  EXPECT_FALSE(find_topic_filter_error(slashes));
  EXPECT_TRUE(topic_matches(slashes, slashes));
  EXPECT_TRUE(topic_matches("#", slashes));
}

}  // namespace
}  // namespace mqtt::test
