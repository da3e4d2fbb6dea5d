#pragma once
#include <cstdint>
#include <span>

namespace mq::bench::results {

/// Of a sorted or unsorted sample that is not empty; of an even number the mean of the two in the middle.
[[nodiscard]] double median(std::span<const double> values);

struct ConfidenceInterval {
  double low = 0;
  double high = 0;
};

/// How much larger the median of `b` is than that of `a`, as a share of the latter.
[[nodiscard]] double relative_change(std::span<const double> a, std::span<const double> b);

/// The percentile bootstrap of relative_change(): both samples are drawn anew with replacement, `confidence`
/// (0.95) of the changes that come out lie in the interval. The same seed gives the same interval on every
/// machine. The median of `a` must not be 0.
[[nodiscard]] ConfidenceInterval bootstrap_change(std::span<const double> a, std::span<const double> b,
                                                  double confidence, std::uint64_t seed);

/// The two-sided probability that chance alone orders two samples of one population at least as unevenly
/// (Mann and Whitney 1947; ties by midranks). Up to exact_runs_max values in all it is exact, over all ways
/// to deal them out; above by the normal approximation with corrections for ties and continuity.
[[nodiscard]] double mann_whitney(std::span<const double> a, std::span<const double> b);
inline constexpr std::size_t exact_runs_max = 100;

/// The smallest probability that samples of these sizes can have: when all of one are above all of the other.
[[nodiscard]] double smallest_p(std::size_t a, std::size_t b);

}  // namespace mq::bench::results
