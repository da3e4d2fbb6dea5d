#include "mqbench/outages.hpp"

#include <gtest/gtest.h>

namespace mq::bench {
namespace {

std::vector<Interval> seconds_of(
    std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> received_and_connections) {
  std::vector<Interval> seconds;
  for (const auto& [received, connections] : received_and_connections) {
    seconds.emplace_back();
    seconds.back().received = received;
    seconds.back().connections = connections;
  }
  return seconds;
}

constexpr Service service{.clients = 3, .delivers = true, .due_seconds = 5};

TEST(Outages, AreNoneInAGoodRun) {
  EXPECT_TRUE(find_outages(seconds_of({{9, 3}, {9, 3}, {9, 3}, {9, 3}, {9, 3}}), service).empty());
}

TEST(Outages, ASilentTimeIsOneThatEnds) {
  const std::vector<Outage> found =
      find_outages(seconds_of({{9, 3}, {0, 3}, {0, 3}, {20, 3}, {9, 3}}), service);
  EXPECT_EQ(found, (std::vector{Outage{.from = 1, .to = 3, .over = true, .connections = 3, .received = 0}}));
}

TEST(Outages, MissingClientsAreOneThatMayNotEnd) {
  const std::vector<Outage> found =
      find_outages(seconds_of({{9, 3}, {5, 2}, {4, 1}, {4, 1}, {4, 1}}), service);
  EXPECT_EQ(found,
            (std::vector{Outage{.from = 1, .to = 5, .over = false, .connections = 1, .received = 17}}));
}

TEST(Outages, TwoAreTold) {
  const auto found = find_outages(seconds_of({{0, 3}, {9, 3}, {0, 3}, {9, 3}, {9, 3}}), service);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].from, 2U);
}

TEST(Outages, WhatComesAfterTheMessagesIsNoOutage) {
  EXPECT_TRUE(find_outages(seconds_of({{9, 3}, {9, 3}, {9, 3}, {9, 3}, {9, 3}, {0, 0}}), service).empty());
}

TEST(Outages, WithoutSubscribersSilenceIsNone) {
  const Service sink{.clients = 3, .delivers = false, .due_seconds = 2};
  EXPECT_TRUE(find_outages(seconds_of({{0, 3}, {0, 3}}), sink).empty());
}

}  // namespace
}  // namespace mq::bench
