#include "mqbench/interval_log.hpp"

#include <algorithm>
#include <utility>

#include "mqbench/histogram_encoding.hpp"

namespace mq::bench {

IntervalLatency summary_of(const Histogram& h) {
  return {.count = h.count(),
          .p50 = h.at_percentile(50),
          .p99 = h.at_percentile(99),
          .p99_9 = h.at_percentile(99.9),
          .max = h.max(),
          .hdr = {}};
}

void IntervalLog::add(std::size_t worker, SecondRecorder::Taken taken) {
  for (SecondOfWorker& each : taken.seconds) {
    if (each.second < closed_) continue;  // it was given up
    Open& open = open_[each.second];
    open.whole = open.whole && each.latency;
    if (each.latency) static_cast<void>(open.latency.add(*each.latency));  // all are of one range
  }
  reached_[worker] = taken.reached;
  const std::size_t complete = *std::ranges::min_element(reached_);
  while (!open_.empty() && open_.begin()->first < complete) close_first();
  while (open_.size() > open_max) {
    open_.begin()->second.whole = false;
    close_first();
  }
}

void IntervalLog::close_first() {
  const auto node = open_.extract(open_.begin());
  const std::size_t second = node.key();
  const Open& open = node.mapped();
  closed_ = second + 1;
  static_cast<void>(so_far_.add(open.latency));
  if (!open.whole) return;
  IntervalLatency latency = summary_of(open.latency);
  if (encoded_bytes_ < encoded_bytes_max) latency.hdr = encode_histogram(open.latency);
  encoded_bytes_ += latency.hdr.size();
  at(second).latency = std::move(latency);
  last_ = second;
}

void IntervalLog::add(std::size_t second, std::uint64_t connections, const Usage& usage) {
  Interval& interval = at(std::min(second, PerSecond::seconds_max - 1));
  interval.connections = connections;
  interval.tool_cpu = usage.tool_cpu;
  interval.broker_cpu = usage.broker_cpu;
  if (!usage.broker) return;
  interval.broker_rss_bytes = usage.broker->rss_bytes;
  interval.broker_descriptors = usage.broker->descriptors;
}

std::vector<Interval> IntervalLog::finish(const PerSecond& sent, const PerSecond& received) {
  while (!open_.empty()) close_first();
  const auto set = [this](const PerSecond& counts, std::uint64_t Interval::* field) {
    for (std::size_t n = 0; n < counts.counts().size(); ++n) at(n).*field = counts.counts()[n];
  };
  set(sent, &Interval::sent);
  set(received, &Interval::received);
  return std::move(intervals_);
}

const IntervalLatency* IntervalLog::last() const { return last_ ? &*intervals_[*last_].latency : nullptr; }

Interval& IntervalLog::at(std::size_t second) {
  if (second >= intervals_.size()) intervals_.resize(second + 1);
  return intervals_[second];
}

}  // namespace mq::bench
