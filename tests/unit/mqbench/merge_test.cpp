#include "mqbench/results/merge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "stored_results.hpp"

namespace {

using namespace mq::bench::results;
using namespace std::chrono_literals;
using mq::Histogram;
using testing::HasSubstr;

/// Latencies from 100 ns to two hours, now and then a negative one: below, in and above the range.
std::int64_t any_latency(std::mt19937_64& random) {
  std::uniform_real_distribution<double> magnitude{std::log(100.0), std::log(7.2e12)};
  return random() % 50 == 0 ? -5 : static_cast<std::int64_t>(std::exp(magnitude(random)));
}

StoredResult shard(std::uint64_t index, std::uint64_t count) {
  StoredResult result = plain_result("part" + std::to_string(index) + ".json");
  result.shard = Shard{.index = index, .count = count};
  result.machine[0] = text_field("host", "host" + std::to_string(index));
  return result;
}

StoredResult merged(const std::vector<StoredResult>& parts, MergeRule rule = MergeRule::one_run) {
  auto all = merge(parts, rule);
  EXPECT_TRUE(all) << all.error();
  return all ? std::move(all->result) : StoredResult{};
}

std::string refusal_of(const std::vector<StoredResult>& parts, MergeRule rule = MergeRule::one_run) {
  const auto all = merge(parts, rule);
  return all ? "none" : all.error();
}

/// What files lose and what they keep: each part is written and read before it is merged, and the sum, too.
TEST(Merge, IsOneHistogramOfAllCountByCount) {
  constexpr std::size_t parts_count = 5, values = 4'000;
  std::mt19937_64 random{17};
  Histogram whole, whole_of_second;
  std::vector<StoredResult> parts;
  for (std::size_t n = 0; n < parts_count; ++n) {
    Histogram mine, mine_of_second;
    for (std::size_t k = 0; k < values; ++k) {
      const std::int64_t latency = any_latency(random);
      for (Histogram* each : {&whole, &mine}) each->record(latency);
      if (k % 3 == 0)
        for (Histogram* each : {&whole_of_second, &mine_of_second}) each->record(latency);
    }
    StoredResult part = shard(n + 1, parts_count);
    part.latencies = {{.name = "due_to_received", .histogram = mine}};
    part.intervals = {{.second = 4, .latency = SparseHistogram{mine_of_second}}};
    parts.push_back(*parse_result(as_json(part), part.file));
    parts.back().shard = part.shard;
  }
  const auto all = parse_result(as_json(merged(parts)), "all.json");
  ASSERT_TRUE(all) << all.error();
  expect_same(*all->latency("due_to_received"), whole);
  expect_same(all->intervals.at(0).latency->dense(), whole_of_second);
  for (const double percent : {50.0, 90.0, 99.0, 99.9, 99.99, 100.0})
    EXPECT_EQ(all->latency("due_to_received")->at_percentile(percent), whole.at_percentile(percent))
        << percent;
}

TEST(Merge, KeepsRefusalsAndNotes) {
  StoredResult one = shard(1, 2), two = shard(2, 2);
  one.refusals = {{.name = "quota exceeded", .value = 3}, {.name = "banned", .value = 1}};
  two.refusals = {{.name = "quota exceeded", .value = 4}};
  one.notes = {"the disk is slow", "a"};
  two.notes = {"the disk is slow", "b"};
  const auto all = parse_result(as_json(merged({one, two})), "all.json");
  ASSERT_TRUE(all) << all.error();
  ASSERT_EQ(all->refusals.size(), 2U);
  EXPECT_EQ(all->refusals[0].name, "quota exceeded");
  EXPECT_EQ(all->refusals[0].value, 7U);
  EXPECT_EQ(all->refusals[1].value, 1U);
  EXPECT_EQ(all->notes, (std::vector<std::string>{"the disk is slow", "a", "b"}));
  EXPECT_FALSE(all->activity);
}

TEST(Merge, AddsUpWhatMachinesDidByHost) {
  StoredResult one = shard(1, 4), same_host = shard(2, 4), other = shard(3, 4), silent = shard(4, 4);
  same_host.machine[0] = one.machine[0];
  one.activity = {
      .segments_sent = 10, .segments_resent = 1, .throttled_periods = 5, .throttled_s = 0.5, .stolen = 0.25};
  same_host.activity = {
      .segments_sent = 20, .throttled_periods = 7, .throttled_s = 0.75, .busiest_reception = 0.5};
  other.activity = {.segments_sent = 40, .segments_resent = 2, .throttled_periods = 1, .throttled_s = 1};
  const auto all = parse_result(as_json(merged({one, same_host, other, silent})), "all.json");
  ASSERT_TRUE(all) << all.error();
  ASSERT_TRUE(all->activity);
  EXPECT_EQ(all->activity->segments_sent, 70U);
  EXPECT_EQ(all->activity->segments_resent, 3U);
  EXPECT_EQ(all->activity->throttled_periods, 8U);
  EXPECT_EQ(all->activity->throttled_s, 1.75);
  EXPECT_EQ(all->activity->stolen, 0.25);
  EXPECT_EQ(all->activity->busiest_reception, 0.5);
}

TEST(Merge, PartsMayHaveBrokersOfTheirOwn) {
  StoredResult one = shard(1, 2), two = shard(2, 2);
  one.scenario.push_back({.name = "brokers", .json = R"(["mqtt://a:1883"])", .text = "a"});
  EXPECT_NE(find_field(merged({one, shard(2, 2)}).scenario, "rate"), nullptr);
  two.scenario.push_back(one.scenario.back());
  EXPECT_NE(find_field(merged({one, two}).scenario, "brokers"), nullptr);
  two.scenario.back().json = R"(["mqtt://b:1883"])";
  EXPECT_EQ(find_field(merged({one, two}).scenario, "brokers"), nullptr) << "of all only what is everybody's";
}

TEST(Merge, IsTheSameInAnyOrderAndInSteps) {
  std::vector<StoredResult> parts{shard(1, 3), shard(2, 3), shard(3, 3)};
  for (std::size_t n = 0; n < parts.size(); ++n)
    parts[n].latencies = {
        {.name = "ack", .histogram = histogram_of({static_cast<std::int64_t>(n + 1) * 10'000})}};
  const auto direct = merged(parts);
  const auto turned = merged({parts[2], parts[0], parts[1]});
  const auto stepped = merged({merged({parts[0], parts[1]}), parts[2]}, MergeRule::any);
  for (const StoredResult& other : {turned, stepped}) {
    expect_same(*other.latency("ack"), *direct.latency("ack"));
    EXPECT_EQ(other.count("sent"), 3'000U);
    EXPECT_EQ(other.sent_per_second, direct.sent_per_second);
    EXPECT_EQ(other.workers, 3U);
    EXPECT_EQ(other.parts.size(), 3U);
  }
}

TEST(Merge, CountsAreAddedAndRatesComeAnew) {
  auto first = shard(1, 2), second = shard(2, 2);
  second.counts.push_back({.name = "held", .value = 5});
  second.started = first.started + 500ms;
  second.ended = first.ended + 4s;
  const auto all = merged({second, first});
  EXPECT_EQ(all.count("sent"), 2'000U);
  EXPECT_EQ(all.count("held"), 5U);
  // From 1 us after the start to 1 s and 1 us after the second's, 0.5 s later.
  EXPECT_DOUBLE_EQ(all.sent_per_second, 2'000 / 1.5);
  EXPECT_DOUBLE_EQ(all.received_per_second, 2'000 / 1.75);
  EXPECT_EQ(all.started, first.started);
  EXPECT_EQ(all.ended, first.ended + 4s);
  EXPECT_DOUBLE_EQ(all.cpu_s, 1);
  EXPECT_DOUBLE_EQ(all.cpu_s_per_million, 250);
  EXPECT_EQ(all.threads, 4U);
}

TEST(Merge, AWorkerThatOnlyReceivesHasNoFirstDueTimeOfItsOwn) {
  auto sender = shard(1, 2), receiver = shard(2, 2);
  sender.times.last_received.reset();
  receiver.times = {.last_received = 2'000'001'000};
  EXPECT_DOUBLE_EQ(merged({sender, receiver}).received_per_second, 1'000);
}

TEST(Merge, OutagesAreKeptWithThePartThatNoticedThem) {
  auto first = shard(1, 3), second = shard(2, 3), third = shard(3, 3);
  first.outages = {{.from = 4, .to = 6, .over = true, .connections = 3, .received = 70}};
  second.started = first.started + 2s;
  second.outages = {
      {.from = 1, .to = 2, .over = true, .connections = 9, .began_ns = 1'500'000'000, .lost = 4},
      {.from = 2, .to = 5, .connections = 1}};
  third.outages = {{.from = 3, .to = 4, .over = true}};
  const std::vector<StoredOutage> wanted{
      {.from = 3, .to = 4, .over = true, .connections = 9, .began_ns = 3'500'000'000, .lost = 4, .part = 2},
      {.from = 3, .to = 4, .over = true, .part = 3},
      {.from = 4, .to = 6, .over = true, .connections = 3, .received = 70, .part = 1},
      {.from = 4, .to = 7, .connections = 1, .part = 2}};
  EXPECT_EQ(merged({first, second, third}).outages, wanted);
  const auto stepped = merged({merged({first, second}), third}, MergeRule::any);
  EXPECT_EQ(stepped.outages, wanted);
  const auto read = parse_result(as_json(stepped), "all.json");
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->outages, wanted);
}

TEST(Merge, SecondsAreAlignedByTheStarts) {
  auto first = shard(1, 2), second = shard(2, 2);
  first.intervals = {{.second = 0, .sent = 1}, {.second = 1, .sent = 2, .tool_cpu = 0.5}};
  second.intervals = {{.second = 0, .sent = 10, .connections = 4, .tool_cpu = 0.25},
                      {.second = 5, .sent = 20}};
  second.started = first.started + 1'300ms;
  second.clock = ClockOffset{.offset_ns = -59'000'000'000};  // that is of the clock of stamps
  const auto all = merged({first, second});
  ASSERT_EQ(all.intervals.size(), 3U);
  EXPECT_EQ(all.intervals[0].second, 0U);
  EXPECT_EQ(all.intervals[0].sent, 1U);
  EXPECT_FALSE(all.intervals[0].tool_cpu);
  EXPECT_EQ(all.intervals[1].second, 1U);
  EXPECT_EQ(all.intervals[1].sent, 12U);
  EXPECT_EQ(all.intervals[1].connections, 4U);
  EXPECT_EQ(all.intervals[1].tool_cpu, 0.75);
  EXPECT_EQ(all.intervals[2].second, 6U);
  EXPECT_EQ(all.intervals[2].sent, 20U);
}

TEST(Merge, TheErrorOfTheClocksIsTheWorstOfAll) {
  auto first = shard(1, 2), second = shard(2, 2);
  first.clock = ClockOffset{.offset_ns = 0, .error_ns = 5};
  second.clock = ClockOffset{.offset_ns = 77'000'000'000, .error_ns = 9'000};
  EXPECT_EQ(merged({first, second}).clock->error_ns, 9'000U);
  EXPECT_EQ(merged({first, second}).clock->offset_ns, 0);
}

TEST(Merge, ThresholdsAreJudgedByTheSums) {
  auto first = shard(1, 2), second = shard(2, 2);
  first.latencies = {
      {.name = "due_to_received", .histogram = histogram_of({1'000'000, 1'000'000, 1'000'000})}};
  second.latencies = {{.name = "due_to_received", .histogram = histogram_of({9'000'000})}};
  for (StoredResult* part : {&first, &second})
    for (const char* expression :
         {"p50<5ms", "due_to_received.max<5ms", "sent==2000", "rate>1000/s", "ack.p99<1s", "lost==0"})
      part->thresholds.push_back({.expression = expression, .value = 1.0, .passed = true});
  const auto all = merged({first, second});
  std::vector<bool> passed;
  for (const auto& threshold : all.thresholds) passed.push_back(threshold.passed);
  EXPECT_EQ(passed, (std::vector{true, false, true, true, false, true}));
  EXPECT_EQ(all.thresholds[1].value, 9'000'000);
  EXPECT_FALSE(all.thresholds[4].value);
  EXPECT_EQ(all.passed, false);
  second.verdict = "tool-bound";
  for (const auto& threshold : merged({first, second}).thresholds) EXPECT_FALSE(threshold.passed);
}

TEST(Merge, WhoWatchedABrokerOnOneHostWatchedTheSameOne) {
  auto first = shard(1, 3), second = shard(2, 3), third = shard(3, 3);
  second.machine = first.machine;
  for (StoredResult* part : {&first, &second, &third})
    part->intervals = {{.second = 0, .broker_cpu = part == &second ? 0.75 : 0.5, .broker_rss_bytes = 1'000}};
  const auto all = merged({first, second, third});
  EXPECT_EQ(all.intervals[0].broker_cpu, 1.25);
  EXPECT_EQ(all.intervals[0].broker_rss_bytes, 2'000U);
}

TEST(Merge, ThePartsAreDescribedAndWhatTheyHaveInCommonIsKept) {
  auto first = shard(1, 2), second = shard(2, 2);
  second.verdict = "broker-bound";
  second.reason = "it was late";
  const auto all = merged({first, second});
  EXPECT_EQ(find_field(all.machine, "host"), nullptr);
  EXPECT_EQ(find_field(all.machine, "kernel")->text, "Linux 6.1.0-18");
  EXPECT_EQ(find_field(all.parts[1], "host")->text, "host2");
  EXPECT_EQ(find_field(all.parts[1], "verdict")->text, "broker-bound");
  EXPECT_EQ(all.verdict, "broker-bound");
  EXPECT_EQ(all.reason, "part2.json: it was late");
  EXPECT_EQ(find_field(all.tool, "threads")->text, "4");
}

TEST(Merge, TheWorstVerdictIsThatOfAll) {
  auto first = shard(1, 3), second = shard(2, 3), third = shard(3, 3);
  second.verdict = "network-bound";
  third.verdict = "tool-bound";
  EXPECT_EQ(merged({first, second, third}).verdict, "tool-bound");
  EXPECT_FALSE(merged({first, second, third}).passed);
}

TEST(Merge, APartThatIsThereTwiceIsRefused) {
  EXPECT_THAT(refusal_of({shard(1, 2), shard(1, 2)}), HasSubstr("shard 1 is there twice"));
  EXPECT_THAT(refusal_of({shard(1, 2), shard(1, 2)}, MergeRule::any), HasSubstr("is there twice"));
  EXPECT_THAT(refusal_of({plain_result(), plain_result()}), HasSubstr("is there twice"));
  EXPECT_THAT(refusal_of({merged({shard(1, 2), shard(2, 2)}), shard(2, 2)}, MergeRule::any),
              HasSubstr("shard 2 is there twice"));
}

TEST(Merge, WhatDoesNotBelongTogetherIsRefusedUnlessForced) {
  auto other_run = shard(2, 2), other_scenario = shard(2, 2), other_count = shard(2, 3), late = shard(2, 2);
  other_run.run = 8;
  other_scenario.scenario[1] = number_field("rate", "2000");
  late.started += 25h;
  EXPECT_THAT(refusal_of({shard(1, 2), other_run}), HasSubstr("different runs; --force"));
  EXPECT_THAT(refusal_of({shard(1, 2), other_scenario}), HasSubstr("different scenarios; --force"));
  EXPECT_THAT(refusal_of({shard(1, 2), other_count}), HasSubstr("different numbers of shards; --force"));
  EXPECT_THAT(refusal_of({shard(1, 2), late}), HasSubstr("more than a day"));
  for (const auto& other : {other_run, other_scenario, other_count})
    EXPECT_EQ(refusal_of({shard(1, 2), other}, MergeRule::any), "none");
}

TEST(Merge, TheHashOfTheScenarioBeatsItsWords) {
  auto first = shard(1, 2), second = shard(2, 2);
  first.scenario_hash = second.scenario_hash = "aa";
  second.scenario[1] = number_field("rate", "2000");
  EXPECT_EQ(refusal_of({first, second}), "none");
  second.scenario_hash = "bb";
  EXPECT_THAT(refusal_of({first, second}), HasSubstr("different scenarios"));
}

TEST(Merge, MissingPartsAreSaid) {
  const auto some = merge(std::vector{shard(1, 3), shard(3, 3)}, MergeRule::one_run);
  ASSERT_TRUE(some);
  EXPECT_THAT(some->warnings, testing::ElementsAre(HasSubstr("2 of 3 parts are there")));
  EXPECT_TRUE(merge(std::vector{plain_result()}, MergeRule::one_run)->warnings.empty());
}

}  // namespace
