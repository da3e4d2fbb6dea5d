#include "mqbench/interval_log.hpp"

#include <gtest/gtest.h>

#include "mqbench/histogram_encoding.hpp"

namespace {

using namespace std::chrono_literals;
using mq::Histogram;
using mq::bench::Interval;
using mq::bench::IntervalLog;
using mq::bench::PerSecond;
using mq::bench::SecondRecorder;

std::vector<std::size_t> seconds_of(const SecondRecorder::Taken& taken) {
  std::vector<std::size_t> seconds;
  for (const auto& each : taken.seconds) seconds.push_back(each.second);
  return seconds;
}

TEST(SecondRecorder, ASecondIsHandedOverWhenItIsLeftBehind) {
  SecondRecorder recorder;
  recorder.record(0ms, 5'000);
  recorder.record(999ms, 7'000);
  EXPECT_TRUE(recorder.take().seconds.empty());
  recorder.record(1000ms, 9'000);
  const auto first = recorder.take();
  EXPECT_EQ(first.reached, 1U);
  ASSERT_EQ(seconds_of(first), std::vector<std::size_t>{0});
  EXPECT_EQ(first.seconds[0].latency->count(), 2U);
  recorder.end();
  const auto last = recorder.take();
  ASSERT_EQ(seconds_of(last), std::vector<std::size_t>{1});
  EXPECT_EQ(last.seconds[0].latency->min(), 9'000U);
}

TEST(SecondRecorder, SecondsWithoutAMessageAreOverToo) {
  SecondRecorder recorder;
  recorder.turn(3500ms);
  const auto taken = recorder.take();
  EXPECT_TRUE(taken.seconds.empty());
  EXPECT_EQ(taken.reached, 3U);
}

TEST(SecondRecorder, WhatNobodyTakesHasABound) {
  SecondRecorder recorder;
  const std::size_t seconds = SecondRecorder::waiting_max + 3;
  for (std::size_t second = 0; second <= seconds; ++second)
    recorder.record(std::chrono::seconds{second}, 5'000);
  const auto taken = recorder.take();
  ASSERT_EQ(taken.seconds.size(), seconds);
  for (std::size_t n = 0; n < seconds; ++n)
    EXPECT_EQ(taken.seconds[n].latency.has_value(), n < SecondRecorder::waiting_max) << n;
}

TEST(SecondRecorder, WhatComesAfterADayIsInItsLastSecond) {
  SecondRecorder recorder;
  recorder.record(24h, 5'000);
  recorder.record(25h, 5'000);
  recorder.end();
  EXPECT_EQ(seconds_of(recorder.take()), std::vector<std::size_t>{24 * 3600 - 1});
}

Histogram histogram_of(std::int64_t value, int count) {
  Histogram histogram;
  for (int n = 0; n < count; ++n) histogram.record(value);
  return histogram;
}

SecondRecorder::Taken taken(std::size_t second, std::int64_t value, int count) {
  SecondRecorder::Taken taken{.seconds = {}, .reached = second + 1};
  taken.seconds.push_back({second, histogram_of(value, count)});
  return taken;
}

TEST(IntervalLog, ASecondIsTheSumOfAllWorkers) {
  IntervalLog log{2};
  log.add(0, taken(0, 1'000'000, 3));
  EXPECT_EQ(log.last(), nullptr);
  log.add(1, taken(0, 9'000'000, 1));
  ASSERT_NE(log.last(), nullptr);
  EXPECT_EQ(log.last()->count, 4U);
  EXPECT_EQ(log.last()->max, 9'000'000U);
  EXPECT_EQ(log.so_far().count(), 4U);
  const auto decoded = mq::decode_histogram(log.last()->hdr);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->count(), 4U);
  EXPECT_EQ(decoded->at_percentile(50), log.last()->p50);
}

TEST(IntervalLog, HasWhatIsKnownAndNothingElse) {
  IntervalLog log{1};
  log.add(0, taken(1, 1'000'000, 2));
  log.add(1, 20,
          {.tool_cpu = 0.5,
           .broker_cpu = 0.25,
           .broker = mq::bench::ProcessSample{.rss_bytes = 4096, .descriptors = 7}});
  PerSecond sent, received;
  sent.note(0s);
  received.note(1500ms);
  received.note(2s);
  const std::vector<Interval> intervals = log.finish(sent, received);
  ASSERT_EQ(intervals.size(), 3U);
  EXPECT_EQ(intervals[0].sent, 1U);
  EXPECT_FALSE(intervals[0].latency || intervals[0].connections || intervals[0].tool_cpu);
  EXPECT_EQ(intervals[1].received, 1U);
  EXPECT_EQ(intervals[1].connections, 20U);
  EXPECT_EQ(intervals[1].broker_cpu, 0.25);
  EXPECT_EQ(intervals[1].broker_rss_bytes, 4096U);
  EXPECT_EQ(intervals[1].broker_descriptors, 7U);
  EXPECT_EQ(intervals[1].latency->count, 2U);
  EXPECT_EQ(intervals[2].received, 1U);
}

TEST(IntervalLog, ASecondOfWhichAPartIsMissingIsNotKnown) {
  IntervalLog log{2};
  log.add(0, taken(0, 1'000'000, 3));
  SecondRecorder::Taken without{.seconds = {}, .reached = 1};
  without.seconds.push_back({0, std::nullopt});
  log.add(1, std::move(without));
  PerSecond counts;
  counts.note(0s);
  const auto intervals = log.finish(counts, counts);
  ASSERT_EQ(intervals.size(), 1U);
  EXPECT_FALSE(intervals[0].latency);
}

TEST(IntervalLog, AWorkerThatStandsStillIsNotWaitedForWithoutABound) {
  IntervalLog log{2};
  const std::size_t seconds = IntervalLog::open_max + 5;
  for (std::size_t second = 0; second < seconds; ++second) log.add(0, taken(second, 1'000'000, 1));
  log.add(1, taken(0, 1'000'000, 1));  // too late
  const auto intervals = log.finish({}, {});
  ASSERT_EQ(intervals.size(), seconds);
  EXPECT_FALSE(intervals[4].latency);
  EXPECT_TRUE(intervals[5].latency);
}

}  // namespace
