#include "mqbench/outages.hpp"

#include <gtest/gtest.h>

namespace mq::bench {
namespace {

using namespace std::chrono_literals;
using mqtt::Duration;

constexpr mqtt::TimePoint start{100s};

std::vector<Interval> seconds_of(std::initializer_list<std::uint64_t> received) {
  std::vector<Interval> seconds;
  for (const std::uint64_t each : received) {
    seconds.emplace_back();
    seconds.back().received = each;
  }
  return seconds;
}

constexpr Service service{.start = start, .clients = 3, .delivers = true, .due_seconds = 5};

std::vector<Outage> outages_of(std::initializer_list<std::uint64_t> received,
                               std::vector<Presence> changes = {}) {
  return find_outages(seconds_of(received), service, std::move(changes));
}

TEST(Outages, AreNoneInAGoodRun) { EXPECT_TRUE(outages_of({9, 9, 9, 9, 9}).empty()); }

TEST(Outages, ASilentTimeIsOneThatEnds) {
  const Outage expected{
      .began = 1s, .recovered = 3s, .from = 1, .to = 3, .connections = 3, .received = 0, .lost = {}};
  EXPECT_EQ(outages_of({9, 0, 0, 20, 9}), std::vector{expected});
}

TEST(Outages, OfASilentEndNobodySawTheEnd) {
  const auto found = outages_of({9, 9, 9, 0, 0});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].recovered, std::nullopt);
  EXPECT_EQ(found[0].to, 5U);
}

TEST(Outages, ClientsThatComeBackSayWhen) {
  const Outage expected{
      .began = 1200ms, .recovered = 2700ms, .from = 1, .to = 3, .connections = 1, .received = 7, .lost = {}};
  EXPECT_EQ(outages_of({9, 5, 2, 9, 9},
                       {{start + 1200ms, -1}, {start + 1300ms, -1}, {start + 2s, 1}, {start + 2700ms, 1}}),
            std::vector{expected});
}

TEST(Outages, ThoseOfSeveralWorkersAreOneWhereTheyOverlap) {
  const auto found = outages_of(
      {9, 9, 9, 9, 9}, {{start + 1s, -1}, {start + 2s, 1}, {start + 1500ms, -2}, {start + 2500ms, 2}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].recovered, Duration{2500ms});
  EXPECT_EQ(found[0].connections, 0U);
}

TEST(Outages, ClientsThatStayAwayAreOneThatDoesNotEnd) {
  const auto found = outages_of({9, 5, 4, 4, 4}, {{start + 1s, -1}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].recovered, std::nullopt);
  EXPECT_EQ(found[0].received, 17U);
}

TEST(Outages, SilenceGoesOnWhenTheClientsAreBack) {
  const auto found = outages_of({9, 4, 0, 9, 9}, {{start + 1500ms, -3}, {start + 1700ms, 3}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].began, Duration{1500ms});
  EXPECT_EQ(found[0].recovered, Duration{3s});
}

TEST(Outages, WithASecondBetweenThemAreTwo) {
  const auto found = outages_of({0, 9, 0, 9, 9});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].from, 2U);
}

TEST(Outages, WhatIsOverBeforeTheStartIsNone) {
  EXPECT_TRUE(outages_of({9, 9, 9, 9, 9}, {{start - 1s, -1}, {start - 500ms, 1}}).empty());
}

TEST(Outages, WhatComesAfterTheMessagesIsNoOutage) { EXPECT_TRUE(outages_of({9, 9, 9, 9, 9, 0}).empty()); }

TEST(Outages, WithoutSubscribersSilenceIsNone) {
  const Service sink{.start = start, .clients = 3, .delivers = false, .due_seconds = 2};
  EXPECT_TRUE(find_outages(seconds_of({0, 0}), sink, {}).empty());
}

TEST(Outages, HaveCostWhatWasDueInTheirSecondsAndNeverCame) {
  PerSecond due, came;
  for (const auto second : {0s, 1s, 2s, 3s}) due.note(second, 10);
  came.note(0s, 9);
  came.note(1s, 4);
  came.note(2s, 10);
  came.note(3s, 1);
  auto found = outages_of({9, 5, 2, 9, 9}, {{start + 1200ms, -1}, {start + 2700ms, 1}});
  judge_outages(found, due, came);
  EXPECT_EQ(found[0].lost, 6U);
}

TEST(PresenceLog, HasABoundAndStillSaysWhenTheLastOneCameBack) {
  PresenceLog log;
  mqtt::TimePoint now = start;
  for (std::size_t n = 0; n < PresenceLog::kept_max + 1; ++n) {
    log.note(now += 1ms, -1);
    log.note(now += 1ms, 1);
  }
  EXPECT_EQ(log.changes().size(), PresenceLog::kept_max);
  const auto found = find_outages(seconds_of({9, 9, 9}), service, log.changes());
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].recovered, Duration{now - start});
}

}  // namespace
}  // namespace mq::bench
