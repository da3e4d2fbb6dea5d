#include "mqbench/results/stored_threshold.hpp"

#include <algorithm>
#include <charconv>

#include "mqbench/threshold.hpp"

namespace mq::bench::results {
namespace {

/// "p99.9", "min", "mean", "max".
std::optional<double> figure_of(const Histogram& histogram, std::string_view name) {
  if (name == "min") return static_cast<double>(histogram.min());
  if (name == "mean") return histogram.mean();
  if (name == "max") return static_cast<double>(histogram.max());
  if (!name.starts_with('p')) return std::nullopt;
  double percent = 0;
  const auto [end, fault] = std::from_chars(name.data() + 1, name.data() + name.size(), percent);
  if (fault != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return static_cast<double>(histogram.at_percentile(percent));
}

/// By the names that Threshold knows.
std::optional<double> value_of(const StoredResult& result, std::string_view name) {
  if (name == "rate") return result.received_per_second;
  if (name == "sent_rate") return result.sent_per_second;
  if (std::ranges::find(result.counts, name, &StoredCount::name) != result.counts.end())
    return static_cast<double>(result.count(name));
  const std::size_t dot = name.find('.');
  if (dot != name.npos)
    if (const Histogram* named = result.latency(name.substr(0, dot)))
      return figure_of(*named, name.substr(dot + 1));
  const Histogram* histogram = result.latency("due_to_received");
  return histogram ? figure_of(*histogram, name) : std::nullopt;
}

}  // namespace

StoredThreshold judge_again(const StoredThreshold& threshold, const StoredResult& result) {
  const std::string_view text = threshold.expression;
  const auto parsed = Threshold::parse(text);
  StoredThreshold again{.expression = threshold.expression, .value = std::nullopt};
  if (!parsed) return again;
  again.value = value_of(result, text.substr(0, text.find_first_of("<>=! ")));
  again.passed = result.verdict == "valid" && again.value && parsed->is_met_by(*again.value);
  return again;
}

}  // namespace mq::bench::results
