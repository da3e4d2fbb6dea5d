#include "mqpub/schedule.hpp"

#include <gtest/gtest.h>

#include "mqpub/pace.hpp"

namespace mq {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t one_second = 1'000'000'000;

TEST(Schedule, TimesAreCountedFromTheFirstMessage) {
  Schedule schedule{2};
  const mqtt::TimePoint start{100s};
  EXPECT_EQ(schedule.due(50 * one_second, start), start);
  EXPECT_EQ(schedule.due(52 * one_second, start + 5s), start + 1s)
      << "late messages do not move those that follow";
  EXPECT_EQ(schedule.due(53 * one_second, start + 5s), start + 1500ms);
  EXPECT_EQ(schedule.due(40 * one_second, start + 5s), start) << "what was recorded out of order is not put off";
  EXPECT_FALSE(schedule.due(std::nullopt, start));
}

TEST(Schedule, TheNextRoundBeginsWhereTheLastEnded) {
  Schedule schedule{1};
  const mqtt::TimePoint start{100s};
  EXPECT_EQ(schedule.due(10 * one_second, start), start);
  EXPECT_EQ(schedule.due(13 * one_second, start), start + 3s);
  schedule.begin_round();
  EXPECT_EQ(schedule.due(10 * one_second, start + 4s), start + 3s);
  EXPECT_EQ(schedule.due(13 * one_second, start + 4s), start + 6s);
}

TEST(Schedule, MaxDoesNotWait) { EXPECT_FALSE(Schedule{0}.due(one_second, mqtt::TimePoint{1s})); }

TEST(Pace, IsAbsoluteAndMakesUpForLittle) {
  Pace pace{10ms};
  mqtt::TimePoint now{100s};
  EXPECT_FALSE(pace.wait_until(now));
  pace.sent(now);
  EXPECT_EQ(pace.wait_until(now), now + 10ms);
  now += 13ms;  // late: the one after is not
  EXPECT_FALSE(pace.wait_until(now));
  pace.sent(now);
  EXPECT_EQ(pace.wait_until(now), now + 7ms);
  now += 10s;
  int burst = 0;
  for (; !pace.wait_until(now); ++burst) pace.sent(now);
  EXPECT_EQ(burst, 11) << "a tenth of a second, not ten";
  Pace none{mqtt::Duration::zero()};
  none.sent(now);
  EXPECT_FALSE(none.wait_until(now));
}

}  // namespace
}  // namespace mq
