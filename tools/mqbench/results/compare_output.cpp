#include <fmt/format.h>

#include <iterator>

#include "common/json_writer.hpp"
#include "mqbench/results/compare.hpp"

namespace mq::bench::results {
namespace {

using Out = std::back_insert_iterator<std::string>;

/// Latencies in ms, the rest as it is.
std::string shown(double value, const Metric& metric) {
  if (metric.unit == "ns") return fmt::format("{:.3f} ms", value / 1e6);
  if (metric.unit == "messages") return fmt::format("{:.0f}", value);
  return fmt::format("{:.{}f} {}", value, metric.unit == "/s" ? 1 : 3, metric.unit);
}

std::string percent(double share) { return fmt::format("{:+.1f} %", share * 100); }

void add_metric(Out out, const Metric& metric) {
  const std::string interval =
      metric.interval ? fmt::format("{} .. {}", percent(metric.interval->low), percent(metric.interval->high))
                      : "";
  fmt::format_to(out, "{:<30}{:>16}{:>16}{:>11}{:>23}{:>9.4f}  {}\n", metric.name,
                 shown(median(metric.a), metric), shown(median(metric.b), metric),
                 metric.change ? percent(*metric.change) : "", interval, metric.p, to_string(metric.verdict));
}

/// How many runs on each side could give a verdict.
std::size_t runs_needed(double alpha) {
  std::size_t runs = 1;
  while (smallest_p(runs, runs) >= alpha) ++runs;
  return runs;
}

void add_values(JsonWriter& json, std::string_view name, const std::vector<double>& values) {
  json.key(name);
  json.begin_array();
  for (const double value : values) json.number(value);
  json.end_array();
}

void add_metric(JsonWriter& json, const Metric& metric) {
  json.begin_object();
  json.field("name", metric.name);
  json.field("unit", metric.unit);
  json.field("better", metric.higher_is_better ? "higher" : "lower");
  add_values(json, "a", metric.a);
  add_values(json, "b", metric.b);
  json.field("median_a", median(metric.a));
  json.field("median_b", median(metric.b));
  if (metric.change) json.field("change", *metric.change);
  if (metric.interval) add_values(json, "interval", {metric.interval->low, metric.interval->high});
  json.field("p", metric.p);
  json.field("verdict", to_string(metric.verdict));
  json.end_object();
}

void add_files(JsonWriter& json, std::string_view name, std::span<const StoredResult> results) {
  json.key(name);
  json.begin_array();
  for (const StoredResult& result : results) json.string(result.file);
  json.end_array();
}

}  // namespace

std::string as_text(const Comparison& comparison, const CompareSettings& settings) {
  std::string text;
  const Out out{text};
  const Metric& first = comparison.metrics.front();
  const std::string confidence = fmt::format("{:g} % interval", (1 - settings.alpha) * 100);
  fmt::format_to(out, "{:<30}{:>16}{:>16}{:>11}{:>23}{:>9}  {}\n",
                 fmt::format("medians of {} and {} runs", first.a.size(), first.b.size()), "A", "B", "change",
                 confidence, "p", "B is");
  for (const Metric& metric : comparison.metrics) add_metric(out, metric);
  if (comparison.smallest_p >= settings.alpha)
    fmt::format_to(
        out,
        "\nThere is no verdict: with {} and {} runs p is never below {:.2g}, and a verdict needs one below "
        "{:g}. {} runs each can have it.\n",
        first.a.size(), first.b.size(), comparison.smallest_p, settings.alpha, runs_needed(settings.alpha));
  return text;
}

std::string as_json(const Comparison& comparison, const CompareSettings& settings,
                    std::span<const StoredResult> a, std::span<const StoredResult> b) {
  std::string text;
  JsonWriter json{text};
  json.begin_object();
  json.field("format", "mqbench-comparison/1");
  json.field("alpha", settings.alpha);
  json.field("tolerance", settings.tolerance);
  json.field("seed", settings.seed);
  json.field("smallest_p", comparison.smallest_p);
  json.field("regression", comparison.any(Change::worse));
  add_files(json, "a", a);
  add_files(json, "b", b);
  json.key("metrics");
  json.begin_array();
  for (const Metric& metric : comparison.metrics) add_metric(json, metric);
  json.end_array();
  json.end_object();
  text += '\n';
  return text;
}

}  // namespace mq::bench::results
