#include <gtest/gtest.h>

#include <mqtt/server/throttle.hpp>

namespace mqtt::server::test {
namespace {

using namespace std::chrono_literals;

TEST(Throttle, TellsABurstOneByOneAndThenOnePerSecondWithTheirNumber) {
  Throttle throttle;
  const TimePoint start{1h};
  for (int i = 0; i < Throttle::burst; ++i) EXPECT_EQ(throttle.note(start), 1U) << i;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(throttle.note(start), 0U) << i;
  EXPECT_EQ(throttle.note(start + 1s - 1ns), 0U);
  EXPECT_EQ(throttle.note(start + 1s), 102U);
  EXPECT_EQ(throttle.note(start + 1s), 0U);
}

TEST(Throttle, AQuietTimeAllowsAnotherBurst) {
  Throttle throttle;
  const TimePoint start{1h};
  while (throttle.note(start) > 0) continue;
  const TimePoint later = start + Throttle::refill * (Throttle::burst + 5);
  EXPECT_EQ(throttle.note(later), 2U);
  for (int i = 1; i < Throttle::burst; ++i) EXPECT_EQ(throttle.note(later), 1U) << i;
  EXPECT_EQ(throttle.note(later), 0U);
}

}  // namespace
}  // namespace mqtt::server::test
