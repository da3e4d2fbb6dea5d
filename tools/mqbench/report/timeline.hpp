#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "mqbench/results/stored_result.hpp"

namespace mq::bench::report {

/// What a histogram of some seconds says.
struct Latencies {
  std::uint64_t count = 0;
  double p50 = 0;
  double p99 = 0;
  double p999 = 0;
  double max = 0;
};

/// Some seconds that are drawn as one point. What is absent was not known in any of them.
struct Moment {
  std::uint64_t second = 0;               ///< the first
  std::optional<std::size_t> interval{};  ///< which one of the result it is, if it is exactly that
  std::optional<double> sent{};           ///< per second
  std::optional<double> received{};
  std::optional<double> tool_cpu{};
  std::optional<double> broker_cpu{};
  std::optional<double> broker_rss_bytes{};  ///< the largest
  std::optional<double> broker_fds{};
  std::optional<double> connections{};  ///< the last
  std::optional<Latencies> latency{};
};

/// Moments of equal length: sums and means of counts and processors, and percentiles of what their histograms
/// hold together.
using Timeline = std::vector<Moment>;

/// More points than that cannot be told from each other.
inline constexpr std::uint64_t points_max = 300;
/// How many seconds a moment must have for that.
[[nodiscard]] std::uint64_t seconds_each(const results::StoredResult& result,
                                         std::uint64_t most = points_max);
/// From second 0 on, without gaps. Nothing of a result without intervals.
[[nodiscard]] Timeline timeline_of(const results::StoredResult& result, std::uint64_t each);

}  // namespace mq::bench::report
