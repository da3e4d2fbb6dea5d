#include "mqbench/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace {

using mq::Histogram;
using mq::HistogramRange;

Histogram made(HistogramRange range) { return *Histogram::make(range); }

std::vector<std::int64_t> random_values(std::size_t count) {
  std::mt19937_64 random{7};
  std::uniform_real_distribution<double> magnitude{0, std::log(3.6e12)};
  std::vector<std::int64_t> values(count);
  for (auto& value : values) value = static_cast<std::int64_t>(std::exp(magnitude(random)));
  return values;
}

TEST(Histogram, EveryCounterIsNoWiderThanItsDigitsAllow) {
  for (const unsigned digits : {1U, 2U, 3U, 4U, 5U}) {
    const auto histogram = made({.lowest = 1, .highest = 1'000'000, .digits = digits});
    std::uint64_t next = 0;
    for (std::size_t n = 0; n < histogram.counters().size(); ++n) {
      ASSERT_EQ(histogram.lowest_of(n), next) << digits << ' ' << n;
      next = histogram.highest_of(n) + 1;
      const double width = static_cast<double>(next - histogram.lowest_of(n));
      ASSERT_LE(width,
                std::max(1.0, static_cast<double>(histogram.lowest_of(n)) * std::pow(10, -int(digits))));
    }
    EXPECT_GT(next, 1'000'000U);
  }
}

TEST(Histogram, AValueIsCountedWhereItBelongs) {
  for (const std::int64_t value : random_values(2'000)) {
    Histogram histogram;
    histogram.record(value);
    const auto at =
        static_cast<std::size_t>(std::ranges::find(histogram.counters(), 1U) - histogram.counters().begin());
    ASSERT_LE(histogram.lowest_of(at), static_cast<std::uint64_t>(value));
    ASSERT_GE(histogram.highest_of(at), static_cast<std::uint64_t>(value));
  }
}

TEST(Histogram, PercentilesAreThoseOfTheSortedValues) {
  auto values = random_values(10'000);
  Histogram histogram;
  for (const auto value : values) histogram.record(value);
  std::ranges::sort(values);
  for (const double percent : {0.01, 1.0, 50.0, 90.0, 99.0, 99.9, 99.99, 100.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * 10'000 - 1e-9));
    const auto exact = static_cast<double>(values[rank - 1]);
    const auto found = static_cast<double>(histogram.at_percentile(percent));
    EXPECT_GE(found, exact) << percent;
    EXPECT_LE(found, exact * 1.001 + 512) << percent;
  }
  EXPECT_EQ(histogram.min(), static_cast<std::uint64_t>(values.front()));
  EXPECT_EQ(histogram.max(), static_cast<std::uint64_t>(values.back()));
  EXPECT_EQ(histogram.at_percentile(100), histogram.max());
}

TEST(Histogram, MeanAndDeviationAreWithinTheResolution) {
  auto histogram = made({.lowest = 1, .highest = 1'000'000, .digits = 3});
  for (std::int64_t value = 1; value <= 100'000; ++value) histogram.record(value);
  EXPECT_NEAR(histogram.mean(), 50'000.5, 50);
  EXPECT_NEAR(histogram.standard_deviation(), 28'867.5, 30);
}

TEST(Histogram, AnEmptyOneSaysZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count() + histogram.min() + histogram.max() + histogram.at_percentile(99), 0U);
  EXPECT_EQ(histogram.mean() + histogram.standard_deviation(), 0.0);
}

TEST(Histogram, CountsWhatIsClippedAndWhatIsNegativeAndDropsNeither) {
  auto histogram = made({.lowest = 1, .highest = 1'000, .digits = 3});
  histogram.record(-5);
  histogram.record(1'000);
  histogram.record(70'000);
  EXPECT_EQ(histogram.count(), 3U);
  EXPECT_EQ(histogram.negative(), 1U);
  EXPECT_EQ(histogram.clipped(), 1U);
  EXPECT_EQ(histogram.min(), 0U);
  EXPECT_EQ(histogram.max(), 70'000U);
  EXPECT_EQ(histogram.at_percentile(60), 1'000U);
}

TEST(Histogram, AddingIsAsIfOneHadRecordedAll) {
  const auto values = random_values(5'000);
  Histogram all, even, odd;
  for (std::size_t n = 0; n < values.size(); ++n) {
    all.record(values[n]);
    (n % 2 == 0 ? even : odd).record(values[n]);
  }
  even.record(-1);
  all.record(-1);
  ASSERT_TRUE(even.add(odd));
  EXPECT_EQ(even.counters(), all.counters());
  EXPECT_EQ(even.min(), all.min());
  EXPECT_EQ(even.max(), all.max());
  EXPECT_EQ(even.negative(), 1U);
  EXPECT_EQ(even.count(), all.count());
}

TEST(Histogram, OnesOfDifferentRangesAreNotAdded) {
  Histogram histogram;
  auto other = made({.lowest = 1, .highest = 1'000, .digits = 3});
  other.record(5);
  EXPECT_FALSE(histogram.add(other));
  EXPECT_EQ(histogram.count(), 0U);
}

TEST(Histogram, ClearedItIsAsNew) {
  Histogram histogram;
  histogram.record(-7);
  histogram.record(std::int64_t{1} << 62);
  histogram.clear();
  EXPECT_EQ(
      histogram.count() + histogram.clipped() + histogram.negative() + histogram.max() + histogram.min(), 0U);
  EXPECT_EQ(histogram.counters(), Histogram{}.counters());
}

TEST(Histogram, RefusesWhatCannotBe) {
  for (const HistogramRange range :
       {HistogramRange{.lowest = 0, .highest = 10, .digits = 3},
        HistogramRange{.lowest = 1, .highest = 1, .digits = 3},
        HistogramRange{.lowest = 10, .highest = 19, .digits = 3},
        HistogramRange{.lowest = 1, .highest = 10, .digits = 0},
        HistogramRange{.lowest = 1, .highest = 10, .digits = 6},
        HistogramRange{.lowest = 1, .highest = std::uint64_t{1} << 62, .digits = 3},
        HistogramRange{.lowest = std::uint64_t{1} << 55, .highest = std::uint64_t{1} << 60, .digits = 3},
        HistogramRange{.lowest = 1, .highest = std::uint64_t{1} << 60, .digits = 5}})
    EXPECT_FALSE(Histogram::make(range)) << range.lowest << ' ' << range.highest << ' ' << range.digits;
}

/// What is left of it when it has been written as its counters alone.
Histogram copied_counters(const Histogram& histogram) {
  auto copy = made(histogram.range());
  for (std::size_t n = 0; n < histogram.counters().size(); ++n)
    EXPECT_TRUE(copy.add_to_counter(n, histogram.counters()[n]));
  return copy;
}

TEST(Histogram, RestoredItIsTheOneThatWasWritten) {
  Histogram histogram;
  for (const std::int64_t value : {-3L, 1'234'567L, 7'200'000'000'001L}) histogram.record(value);
  auto copy = copied_counters(histogram);
  ASSERT_TRUE(copy.restore({.min = 0, .max = 7'200'000'000'001, .clipped = 1, .negative = 1}));
  EXPECT_EQ(copy.max(), histogram.max());
  EXPECT_EQ(copy.clipped(), 1U);
  EXPECT_EQ(copy.negative(), 1U);
  EXPECT_EQ(copy.at_percentile(100), histogram.at_percentile(100));
  EXPECT_TRUE(Histogram{}.restore({}));
}

TEST(Histogram, IsNotRestoredToWhatItsCountersContradict) {
  Histogram histogram;
  for (const std::int64_t value : {5'000, 1'000'000}) histogram.record(value);
  auto copy = copied_counters(histogram);
  for (const mq::HistogramExtremes wrong : {mq::HistogramExtremes{.min = 50'000, .max = 1'000'000},
                                            {.min = 5'000, .max = 2'000'000},
                                            {.min = 1'000'000, .max = 5'000},
                                            {.min = 5'000, .max = 1'000'000, .clipped = 1},
                                            {.min = 5'000, .max = 1'000'000, .negative = 1},
                                            {.min = 5'000, .max = 4'000'000'000'000, .clipped = 1}})
    EXPECT_FALSE(copy.restore(wrong)) << wrong.min << ' ' << wrong.max;
  EXPECT_FALSE(Histogram{}.restore({.max = 1}));
  EXPECT_TRUE(copy.restore({.min = 5'000, .max = 1'000'000}));
}

}  // namespace
