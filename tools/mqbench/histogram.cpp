#include "mqbench/histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace mq {
namespace {

constexpr std::uint64_t count_max = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t highest_max = std::uint64_t{1} << 62;

/// Both halves of a bucket hold so many parts that one is at most 10^-digits of any value in the upper half.
unsigned half_magnitude_for(unsigned digits) {
  std::uint64_t parts = 2;
  for (unsigned n = 0; n < digits; ++n) parts *= 10;
  return static_cast<unsigned>(std::bit_width(parts - 1)) - 1;
}

/// All buckets but the first have only their upper half of their own.
std::size_t counters_for(const HistogramRange& range) {
  const unsigned half_magnitude = half_magnitude_for(range.digits);
  const unsigned unit_magnitude = static_cast<unsigned>(std::bit_width(range.lowest)) - 1;
  const unsigned first_bucket_bits = unit_magnitude + half_magnitude + 1;
  const unsigned highest_bits = static_cast<unsigned>(std::bit_width(range.highest));
  const unsigned buckets = highest_bits > first_bucket_bits ? highest_bits - first_bucket_bits + 1 : 1;
  return std::size_t{buckets + 1} << half_magnitude;
}

}  // namespace

std::expected<Histogram, std::string> Histogram::make(const HistogramRange& range) {
  if (range.digits < 1 || range.digits > 5)
    return std::unexpected(fmt::format("{} significant digits are not from 1 to 5", range.digits));
  if (range.lowest < 1 || range.highest >= highest_max || range.highest / 2 < range.lowest)
    return std::unexpected(
        fmt::format("a range from {} to {} is not from 1 on, or not twice as wide as it begins", range.lowest,
                    range.highest));
  if (std::bit_width(range.lowest) - 1 + half_magnitude_for(range.digits) >= 62)
    return std::unexpected(
        fmt::format("a range that begins at {} leaves no room for {} digits", range.lowest, range.digits));
  if (counters_for(range) > counters_max)
    return std::unexpected(
        fmt::format("a range from {} to {} with {} digits takes {} counters, of at most {}", range.lowest,
                    range.highest, range.digits, counters_for(range), counters_max));
  return Histogram{range};
}

Histogram::Histogram(const HistogramRange& range)
    : range_{range},
      unit_magnitude_{static_cast<unsigned>(std::bit_width(range.lowest)) - 1},
      half_magnitude_{half_magnitude_for(range.digits)},
      bucket_base_{64 - unit_magnitude_ - half_magnitude_ - 1},
      first_bucket_mask_{((std::uint64_t{2} << half_magnitude_) - 1) << unit_magnitude_},
      counters_(counters_for(range)) {}

bool Histogram::add(const Histogram& other) {
  if (range_ != other.range_ || count_ + other.count_ > count_max) return false;
  for (std::size_t n = 0; n < counters_.size(); ++n) counters_[n] += other.counters_[n];
  count_ += other.count_;
  clipped_ += other.clipped_;
  negative_ += other.negative_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  return true;
}

void Histogram::clear() {
  std::ranges::fill(counters_, 0);
  count_ = clipped_ = negative_ = max_ = 0;
  min_ = ~std::uint64_t{0};
}

unsigned Histogram::shift_of(std::size_t counter) const {
  const auto halves = static_cast<unsigned>(counter >> half_magnitude_);
  return unit_magnitude_ + (halves > 1 ? halves - 1 : 0);
}

std::uint64_t Histogram::lowest_of(std::size_t counter) const {
  const std::size_t half = std::size_t{1} << half_magnitude_;
  const std::size_t part = counter < 2 * half ? counter : half + counter % half;
  return std::uint64_t{part} << shift_of(counter);
}

std::uint64_t Histogram::highest_of(std::size_t counter) const {
  return lowest_of(counter) + (std::uint64_t{1} << shift_of(counter)) - 1;
}

double Histogram::middle_of(std::size_t counter) const {
  return static_cast<double>(lowest_of(counter) + (std::uint64_t{1} << shift_of(counter)) / 2);
}

double Histogram::mean() const {
  if (count_ == 0) return 0;
  double sum = 0;
  for (std::size_t n = 0; n < counters_.size(); ++n)
    if (counters_[n] > 0) sum += middle_of(n) * static_cast<double>(counters_[n]);
  return sum / static_cast<double>(count_);
}

double Histogram::standard_deviation() const {
  if (count_ == 0) return 0;
  const double center = mean();
  double sum = 0;
  for (std::size_t n = 0; n < counters_.size(); ++n) {
    const double distance = middle_of(n) - center;
    if (counters_[n] > 0) sum += distance * distance * static_cast<double>(counters_[n]);
  }
  return std::sqrt(sum / static_cast<double>(count_));
}

std::uint64_t Histogram::at_percentile(double percent) const {
  if (percent >= 100) return max_;
  // The product may come out just above the whole number that it is: one step down, then up to a number.
  const double share = std::max(percent, 0.0) / 100 * static_cast<double>(count_);
  const double step = std::nextafter(share, std::numeric_limits<double>::infinity()) - share;
  const double wanted = std::max(std::ceil(share - step), 1.0);
  std::uint64_t seen = 0;
  for (std::size_t n = 0; n < counters_.size(); ++n) {
    seen += counters_[n];
    if (static_cast<double>(seen) < wanted) continue;
    if (percent <= 0) return std::max(lowest_of(n), min());
    return std::min(highest_of(n), max_);
  }
  return 0;
}

bool Histogram::add_to_counter(std::size_t counter, std::uint64_t count) {
  if (count > count_max - count_) return false;
  if (count == 0) return true;
  counters_[counter] += count;
  count_ += count;
  min_ = std::min(min_, lowest_of(counter));
  max_ = std::max(max_, highest_of(counter));
  return true;
}

bool Histogram::restore(const HistogramExtremes& extremes) {
  const auto [min, max, clipped, negative] = extremes;
  if (count_ == 0) return (min | max | clipped | negative) == 0;
  std::size_t first = 0, last = counters_.size() - 1;
  while (counters_[first] == 0) ++first;
  while (counters_[last] == 0) --last;
  const auto counter = [this](std::uint64_t value) { return counter_of(std::min(value, range_.highest)); };
  if (min > max || counter(min) != first || counter(max) != last) return false;
  if ((clipped > 0) != (max > range_.highest) || clipped > counters_[last]) return false;
  if (negative > 0 && (min > 0 || negative > counters_[first])) return false;
  min_ = min;
  max_ = max;
  clipped_ = clipped;
  negative_ = negative;
  return true;
}

}  // namespace mq
