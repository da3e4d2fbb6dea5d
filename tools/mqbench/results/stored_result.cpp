#include "mqbench/results/stored_result.hpp"

#include <algorithm>
#include <array>

namespace mq::bench::results {

SparseHistogram::SparseHistogram(const Histogram& histogram)
    : range_{histogram.range()},
      extremes_{.min = histogram.min(),
                .max = histogram.max(),
                .clipped = histogram.clipped(),
                .negative = histogram.negative()},
      count_{histogram.count()} {
  const auto& counters = histogram.counters();
  for (std::size_t n = 0; n < counters.size(); ++n)
    if (counters[n] > 0) counters_.emplace_back(static_cast<std::uint32_t>(n), counters[n]);
}

Histogram SparseHistogram::dense() const {
  // What came out of a histogram fits into one again.
  Histogram histogram = Histogram::make(range_).value_or(Histogram{});
  for (const auto& [counter, count] : counters_) static_cast<void>(histogram.add_to_counter(counter, count));
  static_cast<void>(histogram.restore(extremes_));
  return histogram;
}

const Field* find_field(const Fields& fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

bool is_of_place(std::string_view name) {
  constexpr std::array<std::string_view, 4> names{"sources", "brokers", "publish_to", "subscribe_from"};
  return std::ranges::find(names, name) != names.end();
}

std::uint64_t StoredResult::count(std::string_view name) const {
  const auto found = std::ranges::find(counts, name, &StoredCount::name);
  return found == counts.end() ? 0 : found->value;
}

const Histogram* StoredResult::latency(std::string_view name) const {
  const auto found = std::ranges::find(latencies, name, &StoredLatency::name);
  return found == latencies.end() ? nullptr : &found->histogram;
}

const StoredLatency* StoredResult::main_latency() const {
  for (const std::string_view name : {"due_to_received", "sent_to_received"}) {
    const auto found = std::ranges::find(latencies, name, &StoredLatency::name);
    if (found != latencies.end()) return &*found;
  }
  return nullptr;
}

}  // namespace mq::bench::results
