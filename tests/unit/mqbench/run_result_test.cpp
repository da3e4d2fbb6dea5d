#include "mqbench/run_result.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using mq::bench::Measurements;
using mq::bench::RunResult;
using mq::bench::Verdict;

/// 100 messages at 10/s of each of 10 publishers, all with this lag.
RunResult with_lag(mqtt::Duration lag) {
  RunResult result;
  result.plan.scenario.rate = 100;
  result.plan.load = {.interval_ns = 1e7, .publishers = 10};
  result.measurements.sent = 100;
  for (int n = 0; n < 100; ++n) result.measurements.lag.record(lag.count());
  return result;
}

Verdict verdict_of(RunResult result) {
  judge(result);
  EXPECT_EQ(result.reason.empty(), result.verdict == Verdict::valid);
  return result.verdict;
}

TEST(Judge, ALagBelowATenthOfAPublishersIntervalIsAllowed) {
  EXPECT_EQ(verdict_of(with_lag(9ms)), Verdict::valid);
  EXPECT_EQ(verdict_of(with_lag(11ms)), Verdict::tool_bound);
}

TEST(Judge, AMillisecondIsAllowedAtAnyRate) {
  auto result = with_lag(900us);
  result.plan.load.publishers = 1;
  result.plan.load.interval_ns = 1e5;
  EXPECT_EQ(verdict_of(result), Verdict::valid);
}

TEST(Judge, ALagBehindAFullWindowIsTheBrokers) {
  auto result = with_lag(50ms);
  result.measurements.held = 2;
  EXPECT_EQ(verdict_of(result), Verdict::broker_bound);
}

TEST(Judge, AFullWindowOfAThreadThatCouldNotRunIsItsOwn) {
  auto result = with_lag(50ms);
  result.measurements.held = 2;
  result.absent = 0.29;
  EXPECT_EQ(verdict_of(result), Verdict::broker_bound);
  result.absent = 0.31;
  EXPECT_EQ(verdict_of(result), Verdict::tool_bound);
}

TEST(Judge, BytesThatAreLeftUnreadAreTheTools) {
  auto result = with_lag(0ms);
  result.unread = 0.009;
  EXPECT_EQ(verdict_of(result), Verdict::valid);
  result.unread = 0.011;
  EXPECT_EQ(verdict_of(result), Verdict::tool_bound);
}

TEST(Judge, WhatWasNeverSentIsALagWithoutEnd) {
  auto result = with_lag(0ms);
  result.measurements.unsent = 1;
  EXPECT_EQ(verdict_of(result), Verdict::tool_bound);
}

TEST(Judge, ABusyThreadMeasuresItself) {
  auto result = with_lag(0ms);
  result.busiest = 0.84;
  EXPECT_EQ(verdict_of(result), Verdict::valid);
  result.busiest = 0.86;
  EXPECT_EQ(verdict_of(result), Verdict::tool_bound);
}

TEST(Judge, AClosedLoopHasNoScheduleToBeLateFor) {
  auto result = with_lag(1s);
  result.plan.scenario.rate = 0;
  EXPECT_EQ(verdict_of(result), Verdict::valid);
}

TEST(RunResult, RatesAreCountedFromTheFirstDueTime) {
  RunResult result;
  EXPECT_EQ(result.sent_rate() + result.received_rate() + result.cpu_seconds_per_million(), 0);
  result.measurements.sent = 500;
  result.measurements.received = 1'000;
  result.measurements.first_due = mqtt::TimePoint{1s};
  result.measurements.last_sent = mqtt::TimePoint{6s};
  result.measurements.last_received = mqtt::TimePoint{11s};
  result.cpu = 3ms;
  EXPECT_EQ(result.sent_rate(), 100);
  EXPECT_EQ(result.received_rate(), 100);
  EXPECT_EQ(result.cpu_seconds_per_million(), 2);
}

TEST(Measurements, AreAddedUp) {
  Measurements sum, part;
  sum.sent = 1;
  sum.first_due = mqtt::TimePoint{5s};
  sum.sent_per_second.note(2500ms);
  part.sent = 2;
  part.lost = 3;
  part.first_due = mqtt::TimePoint{4s};
  part.last_received = mqtt::TimePoint{9s};
  part.ack.record(1'000'000);
  part.sent_per_second.note(-1s);
  part.sent_per_second.note(2999ms);
  part.sent_per_second.note(3s);
  sum.add(part);
  EXPECT_EQ(sum.sent, 3U);
  EXPECT_EQ(sum.lost, 3U);
  EXPECT_EQ(sum.first_due, mqtt::TimePoint{4s});
  EXPECT_EQ(sum.last_received, mqtt::TimePoint{9s});
  EXPECT_EQ(sum.ack.count(), 1U);
  EXPECT_EQ(sum.sent_per_second.counts(), (std::vector<std::uint64_t>{1, 0, 2, 1}));
}

}  // namespace
