#include "common/spelling.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace mq {
namespace {

TEST(EditDistance, CountsInsertionRemovalReplacementAndSwap) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("retain", "retain"), 0u);
  EXPECT_EQ(edit_distance("retian", "retain"), 1u);
  EXPECT_EQ(edit_distance("retan", "retain"), 1u);
  EXPECT_EQ(edit_distance("rettain", "retain"), 1u);
  EXPECT_EQ(edit_distance("retaim", "retain"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("ca", "abc"), 3u);  // a swap, once made, is not edited again
}

TEST(Elided, IsWhatIsShortAndTheBeginningOfWhatIsLong) {
  EXPECT_EQ(elided("a/b"), "a/b");
  EXPECT_EQ(elided(std::string(65'535, 'z')), std::string(200, 'z') + "… (65535 bytes)");
  std::string wide(199, 'z');
  for (int i = 0; i < 200; ++i) wide += "水";
  EXPECT_EQ(elided(wide), std::string(199, 'z') + "… (799 bytes)");
}

TEST(ClosestName, IsTheNearestLongNameIfNearEnough) {
  const std::vector<std::string> names{"-r", "--retain", "--reconnect", "--topic"};
  EXPECT_EQ(closest_name("--retian", names), "--retain");
  EXPECT_EQ(closest_name("--reconect", names), "--reconnect");
  EXPECT_EQ(closest_name("-topic", names), "--topic");
  EXPECT_EQ(closest_name("--payload", names), "");
  EXPECT_EQ(closest_name("-x", names), "");
}

TEST(Quoted, EscapesWhatATerminalObeys) { EXPECT_EQ(in_quotes("a\x1b[0m\n"), "'a\\e[0m\\n'"); }

}  // namespace
}  // namespace mq
