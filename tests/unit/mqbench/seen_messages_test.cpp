#include "mqbench/seen_messages.hpp"

#include <gtest/gtest.h>

namespace {

using mq::bench::SeenMessages;

TEST(SeenMessages, KnowsWhatCameBefore) {
  SeenMessages seen{2};
  EXPECT_TRUE(seen.note(0, 5));
  EXPECT_TRUE(seen.note(1, 5));
  EXPECT_FALSE(seen.note(0, 5));
  EXPECT_TRUE(seen.note(0, 1'000));
  EXPECT_EQ(seen.lost_of({1'001, 6}), 999U + 5U);
}

TEST(SeenMessages, OfSeveralWorkersAreAddedUp) {
  SeenMessages sum, one{1}, other{1};
  for (const std::uint64_t n : {0U, 2U, 70U}) one.note(0, n);
  for (const std::uint64_t n : {1U, 2U, 200U}) other.note(0, n);
  EXPECT_EQ(sum.add(one), 0U);
  EXPECT_EQ(sum.add(other), 1U);
  EXPECT_EQ(sum.lost_of({201}), 196U);
}

}  // namespace
