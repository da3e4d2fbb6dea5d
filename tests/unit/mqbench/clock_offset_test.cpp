#include "mqbench/clock_offset.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace mq::bench {
namespace {

using mqtt::Duration;
using mqtt::TimePoint;
using namespace std::chrono_literals;

TimePoint at(Duration time) { return TimePoint{time}; }

TEST(ClockEstimate, KnowsNothingWithoutSamples) { EXPECT_FALSE(ClockEstimate{}.best()); }

TEST(ClockEstimate, EqualWaysGiveTheOffsetItself) {
  ClockEstimate estimate;
  estimate.add({at(100s), at(150s + 2ms), at(150s + 3ms), at(100s + 5ms)});
  EXPECT_EQ(estimate.best()->offset, 50s);
  EXPECT_EQ(estimate.best()->error, 2ms + 1ns);
}

TEST(ClockEstimate, UnequalWaysStayWithinTheBound) {
  ClockEstimate estimate;
  estimate.add(
      {at(100s), at(50s + 9ms), at(50s + 9ms), at(100s + 10ms)});  // 9 ms there, 1 ms back; offset -50 s
  EXPECT_EQ(estimate.best()->offset, -50s + 4ms);
  EXPECT_EQ(estimate.best()->error, 5ms + 1ns);
}

TEST(ClockEstimate, TheShortestWayCounts) {
  ClockEstimate estimate;
  for (const Duration way : {Duration{4ms}, Duration{1ms}, Duration{3ms}})
    estimate.add({at(1s), at(2s + way), at(2s + way), at(1s + 2 * way)});
  EXPECT_EQ(estimate.best()->error, 1ms + 1ns);
  EXPECT_EQ(estimate.samples(), 3U);
}

TEST(ClockEstimate, AnAnswerBeforeItsQuestionIsLeftOut) {
  ClockEstimate estimate;
  estimate.add({at(2s), at(5s), at(5s), at(1s)});
  estimate.add({at(1s), at(5s), at(4s), at(2s)});
  EXPECT_FALSE(estimate.best());
  EXPECT_EQ(estimate.samples(), 0U);
}

TEST(ClockEstimate, TheBoundHoldsWhateverTheDelays) {
  std::mt19937_64 random{7};
  for (int run = 0; run < 2'000; ++run) {
    const Duration offset{static_cast<std::int64_t>(random() >> 8) - (std::int64_t{1} << 55)};
    ClockEstimate estimate;
    for (int n = 0; n < 8; ++n) {
      const Duration there{random() % 10'000'000}, back{random() % 100'000}, thinking{random() % 1'000'000};
      const TimePoint asked = at(Duration{random() % 1'000'000'000});
      const TimePoint heard = asked + there + offset;
      estimate.add({asked, heard, heard + thinking, asked + there + thinking + back});
    }
    const Duration wrong = estimate.best()->offset - offset;
    ASSERT_LE(std::max(wrong, -wrong), estimate.best()->error);
  }
}

TEST(ClockEstimate, ADriftOneWayIsWithinTheErrorOfBothEnds) {
  // From 10 ms to 16 ms: halfway it is 13 ms, and 10 ms were used.
  EXPECT_EQ(error_until({10ms, 1ms}, {16ms, 2ms}), 8ms);
  EXPECT_EQ(error_until({10ms, 1ms}, {4ms, 2ms}), 8ms);
  EXPECT_EQ(error_until({10ms, 5ms}, {10ms, 1ms}), 5ms);
}

}  // namespace
}  // namespace mq::bench
