#include "mqbench/results/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace mq::bench::results {
namespace {

using Value = std::function<std::optional<double>(const StoredResult&)>;
using Results = std::span<const StoredResult>;

struct Kind {
  std::string name;
  std::string unit;
  bool higher_is_better;
  Value value;
};

Value at_percentile(std::string latency, double percent) {
  return [latency = std::move(latency), percent](const StoredResult& result) -> std::optional<double> {
    const Histogram* histogram = result.latency(latency);
    if (!histogram) return std::nullopt;
    return static_cast<double>(histogram->at_percentile(percent));
  };
}

/// Over the seconds in which it is known.
std::optional<double> mean_broker_cpu(const StoredResult& result) {
  double sum = 0;
  std::size_t known = 0;
  for (const StoredInterval& interval : result.intervals)
    if (interval.broker_cpu) sum += *interval.broker_cpu, ++known;
  if (known == 0) return std::nullopt;
  return sum / static_cast<double>(known);
}

/// Few, and nothing that only another one of them explains: each is a chance to be wrong.
std::vector<Kind> kinds(const StoredResult& example) {
  std::vector<Kind> all{{"sent", "/s", true, [](const StoredResult& r) { return r.sent_per_second; }},
                        {"received", "/s", true, [](const StoredResult& r) { return r.received_per_second; }},
                        {"lost", "messages", false,
                         [](const StoredResult& r) { return static_cast<double>(r.count("lost")); }}};
  const auto add = [&](std::string_view latency, double percent) {
    const std::string name{latency};
    all.push_back({fmt::format("{} p{:g}", name, percent), "ns", false, at_percentile(name, percent)});
  };
  if (const StoredLatency* main = example.main_latency())
    for (const double percent : {50.0, 99.0, 99.9}) add(main->name, percent);
  add("ack", 99);
  add("connect", 99);
  all.push_back({"tool CPU per million messages", "CPU-s", false,
                 [](const StoredResult& r) { return r.cpu_s_per_million; }});
  all.push_back({"broker CPU", "cores", false, mean_broker_cpu});
  return all;
}

/// Nothing if one of them has none.
std::optional<std::vector<double>> values_of(Results results, const Value& value) {
  std::vector<double> values;
  for (const StoredResult& result : results) {
    const auto found = value(result);
    if (!found) return std::nullopt;
    values.push_back(*found);
  }
  return values;
}

Change judge(const Metric& metric, const CompareSettings& settings) {
  const double difference = median(metric.b) - median(metric.a);
  const bool within = metric.change && std::abs(*metric.change) <= settings.tolerance;
  if (smallest_p(metric.a.size(), metric.b.size()) >= settings.alpha) return Change::too_few;
  if (metric.p >= settings.alpha || within || difference == 0) return Change::none;
  return (difference > 0) == metric.higher_is_better ? Change::better : Change::worse;
}

void examine(Metric& metric, const CompareSettings& settings) {
  if (median(metric.a) > 0) metric.change = relative_change(metric.a, metric.b);
  if (std::ranges::min(metric.a) > 0)
    metric.interval = bootstrap_change(metric.a, metric.b, 1 - settings.alpha, settings.seed);
  metric.p = mann_whitney(metric.a, metric.b);
  metric.verdict = judge(metric, settings);
}

}  // namespace

std::string_view to_string(Change change) {
  switch (change) {
    case Change::better: return "better";
    case Change::worse: return "worse";
    case Change::too_few: return "too few runs";
    default: return "no difference";
  }
}

bool Comparison::any(Change verdict) const {
  return std::ranges::any_of(metrics, [verdict](const Metric& metric) { return metric.verdict == verdict; });
}

Comparison compare(Results a, Results b, const CompareSettings& settings) {
  Comparison comparison{.metrics = {}, .smallest_p = smallest_p(a.size(), b.size())};
  for (const Kind& kind : kinds(a.front())) {
    auto values_a = values_of(a, kind.value), values_b = values_of(b, kind.value);
    if (!values_a || !values_b) continue;
    Metric metric{.name = kind.name,
                  .unit = kind.unit,
                  .higher_is_better = kind.higher_is_better,
                  .a = std::move(*values_a),
                  .b = std::move(*values_b)};
    examine(metric, settings);
    comparison.metrics.push_back(std::move(metric));
  }
  return comparison;
}

}  // namespace mq::bench::results
