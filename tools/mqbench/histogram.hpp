#pragma once
#include <bit>
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace mq {

/// What a histogram can tell apart, in units of the caller's choice.
struct HistogramRange {
  std::uint64_t lowest = 1;   ///< values below it cannot be told from each other
  std::uint64_t highest = 2;  ///< values above it are counted there, and as clipped
  unsigned digits = 3;        ///< significant decimal digits that are kept

  bool operator==(const HistogramRange&) const = default;
};

/// Latencies in nanoseconds: 1 us to 1 h.
inline constexpr HistogramRange latency_range{.lowest = 1'000, .highest = 3'600'000'000'000, .digits = 3};

/// What counters alone do not tell.
struct HistogramExtremes {
  std::uint64_t min = 0;
  std::uint64_t max = 0;
  std::uint64_t clipped = 0;
  std::uint64_t negative = 0;
};

/// Counts of values whose relative error is bounded over the whole range (Gil Tene's HdrHistogram): buckets
/// that double in width, each cut into the same number of parts. Recording allocates nothing; histograms of
/// several threads are added, which loses nothing.
class Histogram {
 public:
  /// A sentence if `range` cannot be: lowest is at least 1, highest at least twice that and below 2^62,
  /// digits are 1 to 5, and all of it needs no more than counters_max counters.
  [[nodiscard]] static std::expected<Histogram, std::string> make(const HistogramRange& range);
  /// Of latency_range.
  Histogram() : Histogram{latency_range} {}

  static constexpr std::size_t counters_max = std::size_t{1} << 21;

  /// A negative value is counted as 0, and as negative.
  void record(std::int64_t value) {
    if (value < 0) {
      ++negative_;
      value = 0;
    }
    record_magnitude(static_cast<std::uint64_t>(value));
  }
  /// Of the same range; false, and nothing is done, if it is not.
  [[nodiscard]] bool add(const Histogram& other);
  void clear();

  [[nodiscard]] const HistogramRange& range() const { return range_; }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t clipped() const { return clipped_; }
  [[nodiscard]] std::uint64_t negative() const { return negative_; }
  /// Exact; 0 of an empty histogram.
  [[nodiscard]] std::uint64_t min() const { return count_ == 0 ? 0 : min_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }
  [[nodiscard]] double mean() const;
  [[nodiscard]] double standard_deviation() const;
  /// The value that `percent` (0 to 100) of all values do not exceed, as the highest one of its counter. 0 of
  /// an empty histogram.
  [[nodiscard]] std::uint64_t at_percentile(double percent) const;

  /// For codecs and pictures: the counters in order of their values.
  [[nodiscard]] const std::vector<std::uint64_t>& counters() const { return counters_; }
  /// The values that a counter counts: from lowest_of() to highest_of().
  [[nodiscard]] std::uint64_t lowest_of(std::size_t counter) const;
  [[nodiscard]] std::uint64_t highest_of(std::size_t counter) const;
  /// As if `count` values in the counter's middle had been recorded; extremes are known as exactly as the
  /// counter tells. False, and nothing is done, if the sum of all counts would pass 2^63 - 1.
  [[nodiscard]] bool add_to_counter(std::size_t counter, std::uint64_t count);
  /// After add_to_counter(), as it was known when the values were recorded. False, and nothing is done, if
  /// the counters contradict it.
  [[nodiscard]] bool restore(const HistogramExtremes& extremes);

 private:
  explicit Histogram(const HistogramRange& range);

  void record_magnitude(std::uint64_t value) {
    if (value > max_) max_ = value;
    if (value < min_) min_ = value;
    ++count_;
    if (value > range_.highest) {
      ++clipped_;
      value = range_.highest;
    }
    ++counters_[counter_of(value)];
  }
  [[nodiscard]] std::size_t counter_of(std::uint64_t value) const {
    const unsigned bucket =
        bucket_base_ - static_cast<unsigned>(std::countl_zero(value | first_bucket_mask_));
    return (std::size_t{bucket} << half_magnitude_) +
           static_cast<std::size_t>(value >> (bucket + unit_magnitude_));
  }
  [[nodiscard]] unsigned shift_of(std::size_t counter) const;
  [[nodiscard]] double middle_of(std::size_t counter) const;

  HistogramRange range_;
  unsigned unit_magnitude_;  // log2 of the width of the first bucket's parts
  unsigned half_magnitude_;  // log2 of half the number of a bucket's parts
  unsigned bucket_base_;
  std::uint64_t first_bucket_mask_;
  std::vector<std::uint64_t> counters_;
  std::uint64_t count_ = 0;
  std::uint64_t clipped_ = 0;
  std::uint64_t negative_ = 0;
  std::uint64_t min_ = ~std::uint64_t{0};
  std::uint64_t max_ = 0;
};

}  // namespace mq
