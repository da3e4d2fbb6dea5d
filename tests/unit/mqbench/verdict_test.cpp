#include "mqbench/verdict.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "mqbench/run_result.hpp"

namespace {

using namespace std::chrono_literals;
using mq::Histogram;
using mq::bench::delayed_ack_share;
using mq::bench::RunResult;
using mq::bench::Verdict;

/// Ten seconds of one thread in which nothing was wrong.
RunResult good_run() {
  RunResult result;
  result.started = mq::WallTime{100s};
  result.ended = mq::WallTime{110s};
  result.threads = 1;
  result.plan.load = {.interval_ns = 1e6, .publishers = 10};
  result.measurements.sent = 10'000;
  for (int n = 0; n < 10'000; ++n) result.measurements.lag.record(50'000);
  return result;
}

RunResult judged(RunResult result) {
  judge(result);
  EXPECT_EQ(result.reason.empty(), result.verdict == Verdict::valid);
  return result;
}

bool notes(const RunResult& result, std::string_view words) {
  return std::ranges::any_of(result.notes, [&](const std::string& note) { return note.contains(words); });
}

TEST(Verdict, ARunInWhichNothingIsWrongIsValidAndSaysNothing) {
  const auto result = judged(good_run());
  EXPECT_EQ(result.verdict, Verdict::valid);
  EXPECT_TRUE(result.notes.empty());
}

TEST(Verdict, SegmentsThatWereSentAgainAreTheNetworks) {
  auto result = good_run();
  result.segments = {.sent = 10'000, .resent = 200};
  result = judged(result);
  EXPECT_EQ(result.verdict, Verdict::network_bound);
  EXPECT_TRUE(result.reason.contains("2.0 %")) << result.reason;
}

TEST(Verdict, AFewResentSegmentsAreNone) {
  auto result = good_run();
  result.segments = {.sent = 1'000, .resent = 90};
  EXPECT_EQ(judged(result).verdict, Verdict::valid) << "too few to say";
  result.segments = {.sent = 1'000'000, .resent = 9'000};
  EXPECT_EQ(judged(result).verdict, Verdict::valid) << "below one percent";
}

TEST(Verdict, WhatClientsCouldNotSendWithoutAConnectionIsNotTheToolsLimit) {
  auto result = good_run();
  result.measurements.unsent = 3'000;
  EXPECT_EQ(judged(result).verdict, Verdict::tool_bound);
  result.measurements.connections_lost = 20;
  result = judged(result);
  EXPECT_EQ(result.verdict, Verdict::broker_bound);
  EXPECT_EQ(result.reason, "20 connections were lost, and 3000 messages never left");
  for (int n = 0; n < 10'000; ++n) result.measurements.lag.record(50'000'000);
  EXPECT_EQ(judged(result).verdict, Verdict::tool_bound) << "those that did leave were late";
}

TEST(Verdict, AnExhaustedQuotaIsTheToolsLimit) {
  auto result = good_run();
  result.activity.throttled = 200ms;
  result.activity.throttled_periods = 12;
  result = judged(result);
  EXPECT_EQ(result.verdict, Verdict::tool_bound);
  EXPECT_TRUE(result.reason.contains("0.2 s in 12 periods")) << result.reason;
  result.activity.throttled = 50ms;
  EXPECT_EQ(judged(result).verdict, Verdict::valid);
}

TEST(Verdict, ABusyThreadComesBeforeTheNetwork) {
  auto result = good_run();
  result.busiest = 0.95;
  result.segments = {.sent = 1'000, .resent = 500};
  EXPECT_EQ(judged(result).verdict, Verdict::tool_bound);
}

TEST(Verdict, NotesAreNoVerdict) {
  auto result = good_run();
  result.interrupted = true;
  result.embedded = true;
  result.activity.stolen = 0.05;
  result.plan.scenario.window = 50;
  result.agreed.window = 20;
  result = judged(result);
  EXPECT_EQ(result.verdict, Verdict::valid);
  for (const auto* words : {"ended by a signal", "--self", "5.0 % of the processors", "20 and not 50"})
    EXPECT_TRUE(notes(result, words)) << words;
}

TEST(Verdict, AHeapAtADelayedAcknowledgementIsNamed) {
  auto result = good_run();
  for (int n = 0; n < 900; ++n) result.measurements.sent_to_received.record(1'000'000);
  for (int n = 0; n < 100; ++n) result.measurements.sent_to_received.record(40'000'000 + n * 20'000);
  result = judged(result);
  EXPECT_EQ(result.verdict, Verdict::valid);
  EXPECT_TRUE(notes(result, "10 % of the latencies are from 38 to 45 ms") && notes(result, "TCP_NODELAY"));
  EXPECT_TRUE(notes(result, "--quickack"));
  result.quick_ack = true;
  EXPECT_FALSE(notes(judged(result), "--quickack"));
}

/// `count` latencies, evenly from `from` to `to` milliseconds.
void spread(Histogram& h, int count, double from, double to) {
  for (int n = 0; n < count; ++n) h.record(static_cast<std::int64_t>((from + (to - from) * n / count) * 1e6));
}

TEST(DelayedAckShare, OnlyAHeapBetween38And45Ms) {
  Histogram none;
  EXPECT_EQ(delayed_ack_share(none), 0);
  Histogram even;
  spread(even, 10'000, 0, 100);
  EXPECT_EQ(delayed_ack_share(even), 0) << "no heap";
  Histogram slow;
  spread(slow, 10'000, 30, 60);
  EXPECT_EQ(delayed_ack_share(slow), 0) << "wide";
  Histogram other;
  spread(other, 10'000, 20, 25);
  EXPECT_EQ(delayed_ack_share(other), 0) << "somewhere else";
  Histogram rare;
  spread(rare, 10'000, 0, 5);
  spread(rare, 9, 39, 44);
  EXPECT_EQ(delayed_ack_share(rare), 0) << "fewer than ten";
  Histogram heap;
  spread(heap, 300, 0, 5);
  spread(heap, 100, 39, 44.5);
  EXPECT_DOUBLE_EQ(delayed_ack_share(heap), 0.25);
}

}  // namespace
