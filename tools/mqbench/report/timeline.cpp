#include "mqbench/report/timeline.hpp"

#include <algorithm>
#include <span>

namespace mq::bench::report {
namespace {

using results::StoredInterval;
using results::StoredResult;

/// The mean of those seconds in which it was known.
class Mean {
 public:
  template <class T>
  void add(const std::optional<T>& value) {
    if (!value) return;
    sum_ += static_cast<double>(*value);
    ++known_;
  }
  [[nodiscard]] std::optional<double> value() const {
    return known_ == 0 ? std::nullopt : std::optional{sum_ / known_};
  }

 private:
  double sum_ = 0;
  double known_ = 0;
};

void keep_larger(std::optional<double>& kept, const std::optional<std::uint64_t>& value) {
  if (value) kept = std::max(kept.value_or(0), static_cast<double>(*value));
}

Latencies summary_of(const Histogram& histogram) {
  const auto at = [&](double percent) { return static_cast<double>(histogram.at_percentile(percent)); };
  return {.count = histogram.count(),
          .p50 = at(50),
          .p99 = at(99),
          .p999 = at(99.9),
          .max = static_cast<double>(histogram.max())};
}

Moment join(std::uint64_t second, std::span<const StoredInterval> intervals) {
  Moment moment;
  moment.second = second;
  Mean sent, received, tool_cpu, broker_cpu;
  Histogram latency;
  for (const StoredInterval& interval : intervals) {
    sent.add(interval.sent);
    received.add(interval.received);
    tool_cpu.add(interval.tool_cpu);
    broker_cpu.add(interval.broker_cpu);
    keep_larger(moment.broker_rss_bytes, interval.broker_rss_bytes);
    keep_larger(moment.broker_fds, interval.broker_fds);
    if (interval.connections) moment.connections = static_cast<double>(*interval.connections);
    // All are of latency_range, and counts too large to be added are none of a run's.
    if (interval.latency) static_cast<void>(latency.add(interval.latency->dense()));
  }
  moment.sent = sent.value();
  moment.received = received.value();
  moment.tool_cpu = tool_cpu.value();
  moment.broker_cpu = broker_cpu.value();
  if (latency.count() > 0) moment.latency = summary_of(latency);
  return moment;
}

}  // namespace

std::uint64_t seconds_each(const StoredResult& result, std::uint64_t most) {
  const std::uint64_t length = result.intervals.empty() ? 1 : result.intervals.back().second + 1;
  return (length + most - 1) / most;
}

Timeline timeline_of(const StoredResult& result, std::uint64_t each) {
  Timeline timeline;
  const auto& intervals = result.intervals;
  for (std::size_t begin = 0, end = 0; begin < intervals.size(); begin = end) {
    const std::uint64_t second = timeline.size() * each;
    while (end < intervals.size() && intervals[end].second < second + each) ++end;
    timeline.push_back(join(second, std::span{intervals}.subspan(begin, end - begin)));
    if (each == 1 && end > begin) timeline.back().interval = begin;
  }
  return timeline;
}

}  // namespace mq::bench::report
