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

TEST(ClosestName, IsTheNearestLongNameIfNearEnough) {
  const std::vector<std::string> names{"-r", "--retain", "--reconnect", "--topic"};
  EXPECT_EQ(closest_name("--retian", names), "--retain");
  EXPECT_EQ(closest_name("--reconect", names), "--reconnect");
  EXPECT_EQ(closest_name("-topic", names), "--topic");
  EXPECT_EQ(closest_name("--payload", names), "");
  EXPECT_EQ(closest_name("-x", names), "");
}

TEST(Quoted, EscapesWhatATerminalObeys) { EXPECT_EQ(quoted("a\x1b[0m\n"), "'a\\e[0m\\n'"); }

}  // namespace
}  // namespace mq
