#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mqbench/results/statistics.hpp"
#include "mqbench/results/stored_result.hpp"

namespace mq::bench::results {

struct CompareSettings {
  /// What p must be below, for each of ten metrics: so that one of them is worse by chance in 1 of 20
  /// comparisons.
  double alpha = 0.01;
  double tolerance = 0.01;  ///< a change of the median up to this share of it is none
  std::uint64_t seed = 1;   ///< of the bootstrap
};

enum class Change : std::uint8_t {
  none,  ///< none that chance would not explain, or one within the tolerance
  better,
  worse,
  too_few,  ///< with so few runs p cannot come below alpha
};

[[nodiscard]] std::string_view to_string(Change change);

/// Something that each run has one value of.
struct Metric {
  std::string name;
  std::string unit;  ///< "/s", "ns", "CPU-s", "cores", "messages"
  bool higher_is_better = false;
  std::vector<double> a;  ///< in the order of the runs
  std::vector<double> b;
  std::optional<double> change{};                ///< of the medians, relative; absent if that of A is 0
  std::optional<ConfidenceInterval> interval{};  ///< of the change, at 1 - alpha; absent if a run of A has 0
  double p = 1;                                  ///< Mann and Whitney, two-sided
  Change verdict = Change::none;
};

struct Comparison {
  std::vector<Metric> metrics;
  double smallest_p = 1;  ///< that so many runs can have

  [[nodiscard]] bool any(Change verdict) const;
};

/// Neither may be empty. A metric is left out if not all of the runs have it.
[[nodiscard]] Comparison compare(std::span<const StoredResult> a, std::span<const StoredResult> b,
                                 const CompareSettings& settings);

/// For people: a table and, if need be, why there is no verdict.
[[nodiscard]] std::string as_text(const Comparison& comparison, const CompareSettings& settings);
/// One JSON object and a line feed. `a` and `b` are what was compared.
[[nodiscard]] std::string as_json(const Comparison& comparison, const CompareSettings& settings,
                                  std::span<const StoredResult> a, std::span<const StoredResult> b);

}  // namespace mq::bench::results
