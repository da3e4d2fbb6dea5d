#include "mqbench/results/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

namespace {

using namespace mq::bench::results;
using Values = std::vector<double>;

/// By definition: of all ways to choose which values are those of the first sample, the share whose U is at
/// least as far from its mean. U counts pairs, so that it shares nothing with ranks and their sums.
double enumerated_p(const Values& a, const Values& b) {
  Values all = a;
  all.insert(all.end(), b.begin(), b.end());
  const auto mean = static_cast<double>(a.size() * b.size()) / 2;
  const auto distance = [&](unsigned chosen) {
    double u = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::size_t j = 0; j < all.size(); ++j)
        if ((chosen >> i & 1) == 1 && (chosen >> j & 1) == 0)
          u += all[i] > all[j] ? 1 : all[i] == all[j] ? 0.5 : 0;
    return std::abs(u - mean);
  };
  const double observed = distance((1U << a.size()) - 1);
  double ways = 0, as_far = 0;
  for (unsigned chosen = 0; chosen < 1U << all.size(); ++chosen) {
    if (static_cast<std::size_t>(std::popcount(chosen)) != a.size()) continue;
    ++ways;
    if (distance(chosen) >= observed - 1e-9) ++as_far;
  }
  return as_far / ways;
}

TEST(MannWhitney, IsWhatCountingAllArrangementsGives) {
  std::mt19937_64 random{3};
  for (std::size_t n = 1; n <= 6; ++n)
    for (std::size_t m = 1; m <= 6; ++m)
      for (const std::uint64_t values : {1'000'000ULL, 6ULL, 2ULL}) {  // without ties, with some, with many
        Values a, b;
        while (a.size() < n) a.push_back(static_cast<double>(random() % values));
        while (b.size() < m) b.push_back(static_cast<double>(random() % values));
        EXPECT_NEAR(mann_whitney(a, b), enumerated_p(a, b), 1e-12) << n << ' ' << m << ' ' << values;
      }
}

/// Of a sample of n whose U is `u` beside one of m: all of it is below the other one, then its values are
/// moved up, past the other's.
double p_of(std::size_t n, std::size_t m, std::size_t u) {
  Values a, b;
  for (std::size_t k = 0; k < m; ++k) b.push_back(static_cast<double>(k + 1));
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t passes = std::min(u, m);
    u -= passes;
    a.push_back(static_cast<double>(passes) + 0.5 + static_cast<double>(n - k) * 1e-3);
  }
  return mann_whitney(a, b);
}

/// The largest U that is significant at 0.05 on both sides, of Mann and Whitney's tables as textbooks print
/// them.
TEST(MannWhitney, HasTheCriticalValuesOfTheTables) {
  struct Row {
    std::size_t n;
    std::size_t m;
    std::size_t critical;
  };
  for (const auto [n, m, critical] : {Row{4, 4, 0}, Row{5, 5, 2}, Row{5, 8, 6}, Row{6, 6, 5}, Row{7, 7, 8},
                                      Row{8, 8, 13}, Row{10, 10, 23}, Row{20, 20, 127}}) {
    EXPECT_LT(p_of(n, m, critical), 0.05) << n << ' ' << m;
    EXPECT_GE(p_of(n, m, critical + 1), 0.05) << n << ' ' << m;
  }
}

TEST(MannWhitney, TheApproximationOfLargeSamplesIsNearTheExactOne) {
  std::mt19937_64 random{5};
  for (const double shift : {0.0, 10.0, 25.0}) {
    Values a, b;
    while (a.size() < 50) a.push_back(static_cast<double>(random() % 100));
    while (b.size() < 50) b.push_back(static_cast<double>(random() % 100) + shift);
    const double exact = mann_whitney(a, b);
    a.push_back(a.front());  // 101 values
    EXPECT_NEAR(mann_whitney(a, b), exact, 0.02 + exact * 0.1) << shift;
  }
}

TEST(MannWhitney, EqualValuesAreNoDifference) {
  EXPECT_EQ(mann_whitney(Values(5, 1.0), Values(5, 1.0)), 1);
  EXPECT_EQ(mann_whitney(Values(60, 1.0), Values(60, 1.0)), 1);
}

TEST(MannWhitney, TheSmallestPIsThatOfSeparatedSamples) {
  EXPECT_DOUBLE_EQ(smallest_p(3, 3), 0.1);  // 2 of C(6, 3)
  EXPECT_DOUBLE_EQ(smallest_p(4, 4), 2.0 / 70);
  EXPECT_DOUBLE_EQ(smallest_p(5, 5), 2.0 / 252);
  EXPECT_DOUBLE_EQ(smallest_p(1, 1), 1);
  EXPECT_DOUBLE_EQ(mann_whitney(Values{1, 2, 3, 4}, Values{5, 6, 7, 8}), smallest_p(4, 4));
}

TEST(Median, IsTheMiddleOrTheMeanOfTheTwoInTheMiddle) {
  EXPECT_EQ(median(Values{3, 1, 2}), 2);
  EXPECT_EQ(median(Values{4, 1, 3, 2}), 2.5);
  EXPECT_EQ(median(Values{7}), 7);
}

TEST(Bootstrap, OfConstantsIsAPoint) {
  const auto interval = bootstrap_change(Values(5, 10.0), Values(5, 12.0), 0.95, 1);
  EXPECT_DOUBLE_EQ(interval.low, 0.2);
  EXPECT_DOUBLE_EQ(interval.high, 0.2);
}

TEST(Bootstrap, IsRepeatableAndHoldsTheChange) {
  const Values a{100, 104, 96, 101, 99}, b{110, 113, 108, 112, 109};
  const auto first = bootstrap_change(a, b, 0.95, 7), again = bootstrap_change(a, b, 0.95, 7);
  EXPECT_EQ(first.low, again.low);
  EXPECT_EQ(first.high, again.high);
  EXPECT_LT(first.low, relative_change(a, b));
  EXPECT_GT(first.high, relative_change(a, b));
  EXPECT_LT(bootstrap_change(a, b, 0.99, 7).low, first.low + 1e-12);
}

/// One value of `a` is constant, so that the changes are those of the median of three values drawn with
/// replacement from {1, 2, 3}: it is 1 in 7 of 27 draws, 2 in 13, 3 in 7. An interval of 40 % has its ends at
/// 30 % and 70 %, which is 2; one of 60 % has them at 20 % and 80 %, which is 1 and 3.
TEST(Bootstrap, HasTheQuantilesOfTheExactDistribution) {
  const Values a{1}, b{1, 2, 3};
  const auto narrow = bootstrap_change(a, b, 0.4, 1), wide = bootstrap_change(a, b, 0.6, 1);
  EXPECT_EQ(narrow.low, 1);
  EXPECT_EQ(narrow.high, 1);
  EXPECT_EQ(wide.low, 0);
  EXPECT_EQ(wide.high, 2);
}

}  // namespace
