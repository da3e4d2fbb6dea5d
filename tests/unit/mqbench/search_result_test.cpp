#include "mqbench/search_result.hpp"

#include <gtest/gtest.h>

namespace {

using namespace mq::bench;

SearchStep step_of(Verdict verdict, std::uint64_t lost = 0) {
  RunResult result;
  result.verdict = verdict;
  result.reason = "because";
  result.measurements.lost = lost;
  return judge_step(500, result);
}

TEST(JudgeStep, WhatWasNotTheBrokersLimitIsNoAnswerAboutIt) {
  EXPECT_EQ(step_of(Verdict::tool_bound, 9).attempt, Attempt::tool_bound);
  const SearchStep step = step_of(Verdict::network_bound, 9);
  EXPECT_EQ(step.attempt, Attempt::network_bound);
  EXPECT_EQ(step.reason, "network-bound: because");
  EXPECT_TRUE(search_line(step).ends_with("  network-bound: because\n")) << search_line(step);
}

TEST(JudgeStep, TheBrokersLimitAndItsLossesAreBad) {
  EXPECT_EQ(step_of(Verdict::broker_bound).attempt, Attempt::bad);
  EXPECT_EQ(step_of(Verdict::valid, 1).attempt, Attempt::bad);
  EXPECT_EQ(step_of(Verdict::valid).attempt, Attempt::good);
}

TEST(SearchResult, SaysThatTheNetworkWasTheLimit) {
  SearchResult result;
  result.plan.quantity = SearchQuantity::rate;
  result.steps = {step_of(Verdict::network_bound)};
  result.end = SearchEnd::network_bound;
  EXPECT_EQ(result.conclusion(), "unknown; the network was the limit at 500/s (network-bound: because)");
  result.best = 400;
  EXPECT_TRUE(result.conclusion().starts_with("at least 400/s; the network was")) << result.conclusion();
  EXPECT_FALSE(result.knee());
}

}  // namespace
