#include "mqbench/verify_tally.hpp"

#include <gtest/gtest.h>

#include <map>

#include "mqbench/verify_scenario.hpp"

namespace mq::bench {
namespace {

using mqtt::QoS;
using Numbers = std::vector<std::uint64_t>;

void arrive(StreamTally& tally, const Numbers& numbers) {
  for (const std::uint64_t number : numbers)
    tally.note(number, StreamTally::Body::intact, StreamTally::Timing::in_time);
}

StreamJudgement judged(const Numbers& arrived, const Published& published, QoS qos = QoS::exactly_once) {
  StreamTally tally;
  arrive(tally, arrived);
  return tally.judge(published, qos);
}

TEST(StreamTally, FindsNothingWhereNothingIs) {
  EXPECT_EQ(judged({0, 1, 2}, {.sent = 3}).counts, (StreamCounts{.expected = 3, .received = 3}));
  EXPECT_EQ(judged({}, {}).counts, StreamCounts{});
}

TEST(StreamTally, FindsEachFaultAndNamesIt) {
  const auto found = judged({0, 1, 1, 4, 3, 3, 3}, {.sent = 6});
  EXPECT_EQ(found.counts,
            (StreamCounts{.expected = 6, .received = 4, .lost = 2, .duplicated = 3, .reordered = 1}));
  EXPECT_EQ(found.examples.lost, (Numbers{2, 5}));
  EXPECT_EQ(found.examples.duplicated, (Numbers{1, 3, 3}));
  EXPECT_EQ(found.examples.reordered, (Numbers{3}));
}

TEST(StreamTally, Mqtt_4_6_0_SentAgainInOrderIsNotReordered) {
  EXPECT_EQ(judged({0, 1, 2, 1, 2, 3}, {.sent = 4}, QoS::at_least_once).counts.reordered, 0U);
}

TEST(StreamTally, DamagedMessagesAreNotLost) {
  StreamTally tally;
  arrive(tally, {0});
  tally.note(1, StreamTally::Body::damaged, StreamTally::Timing::late);
  tally.note_nameless();
  const auto found = tally.judge({.sent = 4}, QoS::at_least_once);
  EXPECT_EQ(found.counts, (StreamCounts{.expected = 4, .received = 3, .lost = 1, .corrupted = 2, .late = 1}));
  EXPECT_EQ(found.examples.corrupted, (Numbers{1}));
}

TEST(StreamTally, WhatTheServerRefusedIsNotExpected) {
  EXPECT_EQ(judged({0, 2}, {.sent = 3, .refused = {1}}).counts, (StreamCounts{.expected = 2, .received = 2}));
}

TEST(StreamTally, AtQos0AnAbsenceExcusesWhatCouldNotCome) {
  StreamTally tally;
  arrive(tally, {0, 1, 3});  // 2 was lost before the absence
  tally.on_subscriber_away();
  tally.on_subscriber_away();  // twice in one
  tally.on_subscriber_back(7);
  arrive(tally, {5, 7, 9});  // 8 after it
  const auto found = tally.judge({.sent = 10}, QoS::at_most_once);
  EXPECT_EQ(found.counts, (StreamCounts{.expected = 10, .received = 6, .lost = 2, .lost_at_faults = 2}));
  EXPECT_EQ(found.examples.lost, (Numbers{2, 8}));
  EXPECT_EQ(tally.judge({.sent = 10}, QoS::at_least_once).counts.lost, 4U);
}

TEST(StreamTally, AtQos0AnAbsenceWithoutEndExcusesTheRest) {
  StreamTally tally;
  arrive(tally, {0, 1});
  tally.on_subscriber_away();
  EXPECT_EQ(tally.judge({.sent = 5}, QoS::at_most_once).counts.lost_at_faults, 3U);
}

TEST(StreamTally, AtQos0ALostPublisherTakesItsLastMessagesAlong) {
  const auto found = judged({0, 2, 5, 7}, {.sent = 8, .breaks = {5}}, QoS::at_most_once);
  EXPECT_EQ(found.counts, (StreamCounts{.expected = 8, .received = 4, .lost = 2, .lost_at_faults = 2}));
  EXPECT_EQ(found.examples.lost, (Numbers{1, 6}));
}

TEST(StreamTally, KeepsAFewExamplesAndAllCounts) {
  Numbers even;
  for (std::uint64_t n = 0; n < 1'000; n += 2) even.push_back(n);
  const auto found = judged(even, {.sent = 1'000});
  EXPECT_EQ(found.counts.lost, 500U);
  EXPECT_EQ(found.examples.lost, (Numbers{1, 3, 5, 7, 9}));
}

TEST(Breach, Mqtt_4_3_DuplicatesAreLegalAtQos1Alone) {
  for (const QoS qos : {QoS::at_most_once, QoS::at_least_once, QoS::exactly_once}) {
    EXPECT_EQ(breach_of({.duplicated = 1}, qos).any(), qos != QoS::at_least_once);
    EXPECT_TRUE(breach_of({.lost = 1}, qos).any());
    EXPECT_TRUE(breach_of({.reordered = 1}, qos).any());
    EXPECT_TRUE(breach_of({.corrupted = 1}, qos).any());
    EXPECT_FALSE(breach_of({.lost_at_faults = 1, .late = 1}, qos).any());
  }
}

TEST(FaultDice, ThrowsTheSameForTheSameSeedAtTheRateAskedFor) {
  const VerifyScenario scenario{.seed = 7, .faults = {FaultKind::cut, FaultKind::stall}, .fault_rate = 20};
  FaultDice dice{scenario}, again{scenario};
  std::map<FaultKind, int> kinds;
  mqtt::Duration time{};
  for (int n = 0; n < 10'000; ++n) {
    const mqtt::Duration gap = dice.gap();
    EXPECT_EQ(gap, again.gap());
    time += gap;
    const FaultKind kind = dice.kind();
    EXPECT_EQ(kind, again.kind());
    ++kinds[kind];
    const mqtt::Duration length = dice.length();
    EXPECT_EQ(length, again.length());
    EXPECT_GE(length, scenario.fault_time / 2);
    EXPECT_LE(length, scenario.fault_time);
  }
  EXPECT_NEAR(std::chrono::duration<double>{time}.count(), 500, 25);
  EXPECT_EQ(kinds.size(), 2U);
  EXPECT_NEAR(kinds[FaultKind::cut], 5'000, 250);
}

TEST(VerifyScenario, SharesTheMessagesOutToTheLastOne) {
  const VerifyScenario scenario{.publishers = 2, .messages = 20};
  std::uint64_t sum = 0;
  for (std::uint32_t n = 0; n < scenario.all_publishers(); ++n) sum += scenario.limit_of(n);
  EXPECT_EQ(sum, 20U);
  EXPECT_TRUE(scenario.receives(3, 2));
  EXPECT_FALSE(scenario.receives(3, 4));
}

}  // namespace
}  // namespace mq::bench
