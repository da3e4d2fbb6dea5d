#include "common/wall_time.hpp"

#include <gtest/gtest.h>

namespace mq {
namespace {

using namespace std::chrono_literals;

constexpr WallTime base{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 7h + 20min + 7s +
                        676123us};

TEST(WallClockText, WritesMicroseconds) {
  WallClockText clock;
  EXPECT_EQ(clock.rfc3339(base), "2026-11-21T07:20:07.676123Z");
  EXPECT_EQ(clock.seconds(base), "1795245607.676123");
}

TEST(WallClockText, KeptSecondDoesNotLeakIntoTheNext) {
  WallClockText clock;
  EXPECT_EQ(clock.rfc3339(base), "2026-11-21T07:20:07.676123Z");
  EXPECT_EQ(clock.rfc3339(base + 1us), "2026-11-21T07:20:07.676124Z");
  EXPECT_EQ(clock.rfc3339(base + 323'877us), "2026-11-21T07:20:08.000000Z");
  EXPECT_EQ(clock.seconds(base + 323'877us), "1795245608.000000");
  EXPECT_EQ(clock.rfc3339(base), "2026-11-21T07:20:07.676123Z");
  EXPECT_EQ(clock.rfc3339(base + 999ns), "2026-11-21T07:20:07.676123Z");
}

TEST(WallClockText, EpochAndLeapDay) {
  WallClockText clock;
  EXPECT_EQ(clock.rfc3339(WallTime{}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(clock.seconds(WallTime{}), "0.000000");
  EXPECT_EQ(clock.rfc3339(WallTime{std::chrono::sys_days{std::chrono::year{2028} / 2 / 29}}),
            "2028-02-29T00:00:00.000000Z");
}

}  // namespace
}  // namespace mq
