#include "mqbench/size_pattern.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace {

using mq::bench::SizePattern;

constexpr std::uint64_t messages = 20'000;

/// How often each size comes.
std::map<std::size_t, std::uint64_t> sizes_of(const char* text, std::uint64_t seed = 1) {
  const auto pattern = SizePattern::parse(text);
  EXPECT_TRUE(pattern) << pattern.error();
  std::map<std::size_t, std::uint64_t> sizes;
  for (std::uint64_t n = 0; n < messages; ++n) ++sizes[pattern->of(seed, 3, n)];
  EXPECT_GE(sizes.begin()->first, pattern->min());
  EXPECT_LE(sizes.rbegin()->first, pattern->max());
  return sizes;
}

TEST(SizePattern, OneSize) {
  EXPECT_EQ(sizes_of("1K"), (std::map<std::size_t, std::uint64_t>{{1024, messages}}));
  EXPECT_TRUE(SizePattern::parse("0")->is_one());
}

TEST(SizePattern, EvenlyBetweenBothEndsIncluded) {
  const auto sizes = sizes_of("64..73");
  EXPECT_EQ(sizes.size(), 10U);
  for (const auto& [size, count] : sizes) EXPECT_NEAR(static_cast<double>(count), 2'000, 200) << size;
}

TEST(SizePattern, NormalHasItsMeanAndDeviation) {
  double sum = 0, squares = 0;
  for (const auto& [size, count] : sizes_of("normal:500:100")) {
    const auto n = static_cast<double>(count), bytes = static_cast<double>(size);
    sum += n * bytes;
    squares += n * bytes * bytes;
  }
  const double mean = sum / messages;
  EXPECT_NEAR(mean, 500, 3);
  EXPECT_NEAR(std::sqrt(squares / messages - mean * mean), 100, 3);
}

TEST(SizePattern, NormalIsNeverBelowTheStamp) {
  EXPECT_EQ(sizes_of("normal:40:100").begin()->first, 32U);
  EXPECT_FALSE(SizePattern::parse("normal:31:1"));
}

TEST(SizePattern, ChoicesByWeight) {
  const auto sizes = sizes_of("choice:100*9,10000");
  EXPECT_EQ(sizes.size(), 2U);
  EXPECT_NEAR(static_cast<double>(sizes.at(100)), 18'000, 300);
}

TEST(SizePattern, FollowsFromSeedStreamAndSequence) {
  const auto pattern = SizePattern::parse("1..1000000");
  EXPECT_EQ(pattern->of(1, 2, 3), pattern->of(1, 2, 3));
  EXPECT_NE(pattern->of(1, 2, 3), pattern->of(2, 2, 3));
  EXPECT_NE(pattern->of(1, 2, 3), pattern->of(1, 3, 3));
  EXPECT_NE(pattern->of(1, 2, 3), pattern->of(1, 2, 4));
}

TEST(SizePattern, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "x", "-1", "17M", "5..4", "..4", "5..", "normal:5", "normal:500:", "normal:500:x",
        "normal:", "choice:", "choice:5*0", "choice:5*", "choice:5,", "choice:5*99999999999"})
    EXPECT_FALSE(SizePattern::parse(text)) << text;
}

}  // namespace
