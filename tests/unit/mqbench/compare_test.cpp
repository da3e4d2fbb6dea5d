#include "mqbench/results/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "mqbench/results/metadata.hpp"
#include "stored_results.hpp"

namespace {

using namespace mq::bench::results;
using mq::Histogram;
using testing::HasSubstr;

/// Runs whose latency is `base` ns and a little more in each.
std::vector<StoredResult> runs(std::size_t count, std::int64_t base) {
  std::vector<StoredResult> all;
  for (std::size_t n = 0; n < count; ++n) {
    all.push_back(plain_result("r" + std::to_string(n)));
    const auto value = base + static_cast<std::int64_t>(n) * base / 100;
    all.back().latencies = {{.name = "due_to_received", .histogram = histogram_of({value, value})}};
  }
  return all;
}

const Metric& metric(const Comparison& comparison, std::string_view name) {
  const auto found = std::ranges::find(comparison.metrics, name, &Metric::name);
  EXPECT_NE(found, comparison.metrics.end()) << name;
  return *found;
}

TEST(Compare, TellsWorseFromBetterByWhatIsGood) {
  const auto slow = runs(5, 2'000'000), fast = runs(5, 1'000'000);
  EXPECT_EQ(metric(compare(fast, slow, {}), "due_to_received p99").verdict, Change::worse);
  EXPECT_EQ(metric(compare(slow, fast, {}), "due_to_received p99").verdict, Change::better);
  auto more = runs(5, 1'000'000);
  for (StoredResult& each : more) each.received_per_second = 900;
  EXPECT_EQ(metric(compare(fast, more, {}), "received").verdict, Change::better);
  EXPECT_EQ(metric(compare(more, fast, {}), "received").verdict, Change::worse);
  EXPECT_EQ(metric(compare(more, fast, {}), "sent").verdict, Change::none);
}

TEST(Compare, GivesTheChangeOfTheMedians) {
  const auto a = runs(5, 1'000'000), b = runs(5, 1'500'000);
  const Comparison comparison = compare(a, b, {});
  const Metric& p50 = metric(comparison, "due_to_received p50");
  EXPECT_NEAR(*p50.change, 0.5, 0.002);
  EXPECT_LE(p50.interval->low, *p50.change);
  EXPECT_GE(p50.interval->high, *p50.change);
  EXPECT_EQ(p50.p, smallest_p(5, 5));
}

TEST(Compare, AChangeWithinTheToleranceIsNone) {
  const auto a = runs(5, 1'000'000), b = runs(5, 1'200'000);
  EXPECT_EQ(metric(compare(a, b, {.tolerance = 0.1}), "due_to_received p50").verdict, Change::worse);
  EXPECT_EQ(metric(compare(a, b, {.tolerance = 0.3}), "due_to_received p50").verdict, Change::none);
}

TEST(Compare, TooFewRunsHaveNoVerdictAndItIsSaidWhy) {
  const auto a = runs(3, 1'000'000), b = runs(3, 2'000'000);
  const Comparison comparison = compare(a, b, {});
  for (const Metric& each : comparison.metrics) EXPECT_EQ(each.verdict, Change::too_few) << each.name;
  EXPECT_FALSE(comparison.any(Change::worse));
  EXPECT_THAT(
      as_text(comparison, {}),
      HasSubstr("with 3 and 3 runs p is never below 0.1, and a verdict needs one below 0.01. 5 runs each"));
  EXPECT_TRUE(compare(a, b, {.alpha = 0.2}).any(Change::worse));
}

TEST(Compare, LossesWhereThereWereNoneAreWorse) {
  const auto a = runs(5, 1'000'000);
  auto b = runs(5, 1'000'000);
  for (StoredResult& each : b) each.counts.back().value = 3;
  const Comparison comparison = compare(a, b, {});
  const Metric& lost = metric(comparison, "lost");
  EXPECT_FALSE(lost.change || lost.interval);
  EXPECT_EQ(lost.verdict, Change::worse);
  EXPECT_THAT(as_json(comparison, {}, a, b), HasSubstr(R"("regression":true)"));
}

TEST(Compare, JudgesWhatCountsAndNotEveryLatencyThatThereIs) {
  auto a = runs(5, 1'000'000);
  for (StoredResult& each : a)
    for (const char* name : {"ack", "connect", "lag", "sent_to_received", "subscribe"})
      each.latencies.push_back({.name = name, .histogram = histogram_of({5'000})});
  std::vector<std::string> names;
  for (const Metric& each : compare(a, a, {}).metrics) names.push_back(each.name);
  EXPECT_THAT(names, testing::ElementsAre("sent", "received", "lost", "due_to_received p50",
                                          "due_to_received p99", "due_to_received p99.9", "ack p99",
                                          "connect p99", "tool CPU per million messages"));
}

TEST(Compare, WhatNotAllRunsHaveIsLeftOut) {
  const auto a = runs(4, 1'000'000);
  auto b = runs(4, 1'000'000);
  b[2].latencies.clear();
  for (const Metric& each : compare(a, b, {}).metrics) EXPECT_THAT(each.name, testing::Not(HasSubstr("p99")));
}

TEST(Differences, AreNamedWithTheirValues) {
  const auto a = plain_result(), b = [] {
    auto result = plain_result();
    result.machine[1] = text_field("kernel", "Linux 6.1.0-21");
    result.scenario[1] = number_field("rate", "2000");
    result.broker[1] = text_field("version", "3.1.1");
    result.tool.erase(result.tool.begin());
    return result;
  }();
  std::vector<std::string> found;
  for (const Difference& each : find_differences(std::vector<const StoredResult*>{&a, &b, &a}))
    found.push_back(describe(each));
  EXPECT_THAT(found, testing::ElementsAre("scenario.rate (1000, 2000)",
                                          "machine.kernel (Linux 6.1.0-18, Linux 6.1.0-21)",
                                          "broker.version (5.0, 3.1.1)", "tool.version (0.1.0, none)"));
}

TEST(Differences, OfRepeatedRunsAreNone) {
  const auto a = plain_result();
  auto b = plain_result();
  b.scenario[2] = number_field("seed", "2");
  b.run = 8;
  b.started += std::chrono::hours{1};
  EXPECT_TRUE(find_differences(std::vector<const StoredResult*>{&a, &b}).empty());
}

}  // namespace
