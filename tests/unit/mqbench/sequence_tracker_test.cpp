#include "mqbench/sequence_tracker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace {

using mq::Arrived;
using mq::SequenceTracker;

struct Found {
  std::uint64_t reordered = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t lost = 0;

  bool operator==(const Found&) const = default;
};

Found found(const std::vector<std::uint64_t>& arrived, std::uint64_t sent) {
  SequenceTracker tracker;
  Found result;
  for (const auto sequence : arrived) {
    const Arrived how = tracker.note(sequence);
    result.reordered += how == Arrived::reordered;
    result.duplicated += how == Arrived::duplicated;
  }
  result.lost = tracker.lost_of(sent);
  return result;
}

TEST(SequenceTracker, FindsWhatIsThere) {
  EXPECT_EQ(found({0, 1, 2, 3}, 4), (Found{}));
  EXPECT_EQ(found({}, 4), (Found{.lost = 4}));
  EXPECT_EQ(found({0, 1}, 4), (Found{.lost = 2}));
  EXPECT_EQ(found({2, 3}, 4), (Found{.lost = 2}));
  EXPECT_EQ(found({0, 3}, 4), (Found{.lost = 2}));
  EXPECT_EQ(found({0, 2, 1, 3}, 4), (Found{.reordered = 1}));
  EXPECT_EQ(found({3, 2, 1, 0}, 4), (Found{.reordered = 3}));
  EXPECT_EQ(found({0, 0, 1, 1, 2, 3, 0}, 4), (Found{.duplicated = 3}));
  EXPECT_EQ(found({0, 2, 1, 1, 3}, 4), (Found{.reordered = 1, .duplicated = 1}));
  EXPECT_EQ(found({0, 5, 3, 2, 4, 1}, 6), (Found{.reordered = 4}));
}

/// Against a set of all that came.
TEST(SequenceTracker, AgreesWithAModelThatKeepsEverything) {
  std::mt19937_64 random{11};
  for (int round = 0; round < 200; ++round) {
    constexpr std::uint64_t sent = 300;
    std::vector<std::uint64_t> arrived(400);
    for (std::size_t n = 0; n < arrived.size(); ++n)
      arrived[n] = std::min(n * 3 / 4 + random() % (1 + random() % 20), sent - 1);
    Found model;
    std::set<std::uint64_t> seen;
    for (const auto sequence : arrived) {
      const bool late = !seen.empty() && sequence < *seen.rbegin();
      const bool first = seen.insert(sequence).second;
      model.duplicated += !first;
      model.reordered += first && late;
    }
    model.lost = sent - seen.size();
    ASSERT_EQ(found(arrived, sent), model) << round;
  }
}

TEST(SequenceTracker, ManyGapsTakeNoMoreMemoryThanABoundAndAreStillLost) {
  SequenceTracker tracker;
  constexpr std::uint64_t sent = 8 * SequenceTracker::ranges_max;
  for (std::uint64_t sequence = 1; sequence < sent; sequence += 2) tracker.note(sequence);
  EXPECT_EQ(tracker.lost_of(sent), sent / 2);
  EXPECT_EQ(tracker.note(0), Arrived::duplicated);  // given up
  EXPECT_EQ(tracker.note(sent - 2), Arrived::reordered);
  EXPECT_EQ(tracker.lost_of(sent), sent / 2 - 1);
}

/// At 250,000 messages a second these are reached in less than five hours.
TEST(SequenceTracker, NumbersBeyond32BitsGoOnInOrder) {
  SequenceTracker tracker;
  const std::uint64_t first = (std::uint64_t{1} << 32) - 2;
  for (std::uint64_t n = first; n < first + 4; ++n) EXPECT_EQ(tracker.note(n), Arrived::in_order) << n;
  EXPECT_EQ(tracker.note(first + 3), Arrived::duplicated);
  EXPECT_EQ(tracker.distinct(), 4U);
}

TEST(SequenceTracker, AWildNumberIsNoCrash) {
  SequenceTracker tracker;
  EXPECT_EQ(tracker.note(~std::uint64_t{0} - 1), Arrived::in_order);
  EXPECT_EQ(tracker.note(5), Arrived::reordered);
  EXPECT_EQ(tracker.distinct(), 2U);
}

}  // namespace
