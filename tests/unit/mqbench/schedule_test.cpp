#include "mqbench/schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace {

using namespace std::chrono_literals;
using mq::Arrival;
using mq::LoadPattern;
using mq::Schedule;
using mqtt::Duration;

LoadPattern pattern(double rate, std::uint32_t publishers) {
  return {.interval_ns = 1e9 / rate, .publishers = publishers};
}

/// The times before `end` of all publishers, in order.
std::vector<Duration> due_before(const LoadPattern& load, Duration end) {
  std::vector<Duration> due;
  for (std::uint32_t publisher = 0; publisher < load.publishers; ++publisher)
    for (Schedule schedule{load, publisher}; schedule.next() < end; schedule.advance(load, publisher))
      due.push_back(schedule.next());
  std::ranges::sort(due);
  return due;
}

TEST(Schedule, EverySecondHasAsManyMessagesAsAskedFor) {
  for (const std::uint32_t publishers : {1U, 10U, 100U, 1'000U, 1'500U})
    for (const double rate : {1.0, 3.0, 7.0, 999.0, 10'000.0}) {
      const auto load = pattern(rate, publishers);
      std::vector<int> seconds(5);
      for (const Duration due : due_before(load, 5s)) ++seconds[static_cast<std::size_t>(due / 1s)];
      for (const int count : seconds)
        ASSERT_EQ(count, static_cast<int>(rate)) << publishers << " at " << rate;
    }
}

TEST(Schedule, PublishersAreSpreadEvenly) {
  const auto due = due_before(pattern(1'000, 7), 1s);
  for (std::size_t k = 0; k < due.size(); ++k) ASSERT_EQ(due[k], k * 1ms);
}

TEST(Schedule, DoesNotDriftInAMonth) {
  const auto load = pattern(3, 1);
  Schedule schedule{load, 0};
  constexpr auto month = 30 * 24h;
  for (std::uint64_t n = 0; n < 3ULL * 30 * 24 * 3600; ++n) schedule.advance(load, 0);
  EXPECT_EQ(schedule.next(), month);
}

TEST(Schedule, BurstsComeTogetherAndKeepTheRate) {
  for (const std::uint32_t publishers : {1U, 3U, 50U}) {
    auto load = pattern(1'000, publishers);
    load.burst = 10;
    const auto due = due_before(load, 2s);
    ASSERT_EQ(due.size(), 2'000U);
    for (std::size_t k = 0; k < due.size(); ++k) ASSERT_EQ(due[k], (k - k % 10) * 1ms);
  }
}

TEST(Schedule, PoissonKeepsTheRateAndVariesAsItShould) {
  auto load = pattern(10'000, 100);
  load.arrival = Arrival::poisson;
  load.seed = 5;
  const auto due = due_before(load, 10s);
  const double count = static_cast<double>(due.size());
  EXPECT_NEAR(count, 100'000, 4 * std::sqrt(100'000.0));
  double squares = 0;
  for (std::size_t k = 1; k < due.size(); ++k) {
    const double gap = static_cast<double>((due[k] - due[k - 1]).count()) / 1e5;  // of the mean
    squares += gap * gap;
  }
  EXPECT_NEAR(squares / count, 2, 0.1);  // of an exponential distribution with mean 1
}

TEST(Schedule, TheSameSeedGivesTheSameTimesAndAnotherSeedOthers) {
  auto load = pattern(1'000, 10);
  load.arrival = Arrival::poisson;
  const auto first = due_before(load, 1s);
  EXPECT_EQ(due_before(load, 1s), first);
  load.seed = 1;
  EXPECT_NE(due_before(load, 1s), first);
  EXPECT_NE((Schedule{load, 0}.next()), (Schedule{load, 1}.next()));
}

TEST(DueQueue, GivesTheEarliestAndThenTheLowest) {
  mq::DueQueue queue;
  for (const std::uint32_t publisher : {3U, 1U, 4U, 0U, 2U})
    queue.push({publisher < 3 ? Duration{5} : Duration{1}, publisher});
  std::vector<std::uint32_t> order;
  for (; !queue.empty(); queue.pop()) order.push_back(queue.first().publisher);
  EXPECT_EQ(order, (std::vector<std::uint32_t>{3, 4, 0, 1, 2}));
}

}  // namespace
