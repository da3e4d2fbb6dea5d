#include "mqbench/results/merge_intervals.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace mq::bench::results {
namespace {

using std::chrono::seconds;

/// What one host knows of the broker in one second.
struct BrokerLook {
  std::optional<double> cpu;
  std::optional<std::uint64_t> rss_bytes;
  std::optional<std::uint64_t> fds;
};

/// One second, while it is put together.
struct Sum {
  StoredInterval interval;
  std::optional<Histogram> latency;
  std::map<std::string, BrokerLook> hosts;
};

template <class T>
void add_known(std::optional<T>& sum, const std::optional<T>& value) {
  if (value) sum = sum.value_or(T{}) + *value;
}

template <class T>
void keep_larger(std::optional<T>& kept, const std::optional<T>& value) {
  if (value) kept = std::max(kept.value_or(T{}), *value);
}

void add(Sum& sum, const StoredInterval& interval, const std::string& host) {
  add_known(sum.interval.sent, interval.sent);
  add_known(sum.interval.received, interval.received);
  add_known(sum.interval.connections, interval.connections);
  add_known(sum.interval.tool_cpu, interval.tool_cpu);
  BrokerLook& look = sum.hosts[host];
  keep_larger(look.cpu, interval.broker_cpu);
  keep_larger(look.rss_bytes, interval.broker_rss_bytes);
  keep_larger(look.fds, interval.broker_fds);
  if (!interval.latency) return;
  if (!sum.latency) sum.latency.emplace();
  // All are of latency_range, and of fewer values than a run's histogram, whose sum has been checked.
  static_cast<void>(sum.latency->add(interval.latency->dense()));
}

StoredInterval finished(Sum& sum) {
  for (const auto& [host, look] : sum.hosts) {
    add_known(sum.interval.broker_cpu, look.cpu);
    add_known(sum.interval.broker_rss_bytes, look.rss_bytes);
    add_known(sum.interval.broker_fds, look.fds);
  }
  if (sum.latency) sum.interval.latency = SparseHistogram{*sum.latency};
  return std::move(sum.interval);
}

/// To be walked through second by second, all results at once: there is never more than one dense histogram.
struct Cursor {
  const StoredResult* result;
  std::string host;
  std::uint64_t shift;
  std::size_t next = 0;

  [[nodiscard]] bool ended() const { return next == result->intervals.size(); }
  [[nodiscard]] std::uint64_t second() const { return result->intervals[next].second + shift; }
};

}  // namespace

std::string host_of(const StoredResult& result) {
  const Field* host = find_field(result.machine, "host");
  return host ? host->text : result.file;
}

std::vector<StoredInterval> merge_intervals(std::span<const StoredResult> parts, WallTime start) {
  std::vector<Cursor> cursors;
  for (const StoredResult& part : parts) {
    const auto shift = std::chrono::round<seconds>(part.started - start).count();
    cursors.push_back({.result = &part, .host = host_of(part), .shift = static_cast<std::uint64_t>(shift)});
  }
  std::vector<StoredInterval> all;
  while (true) {
    std::erase_if(cursors, [](const Cursor& cursor) { return cursor.ended(); });
    if (cursors.empty()) return all;
    Sum sum;
    sum.interval.second = std::ranges::min_element(cursors, {}, &Cursor::second)->second();
    for (Cursor& cursor : cursors)
      if (cursor.second() == sum.interval.second)
        add(sum, cursor.result->intervals[cursor.next++], cursor.host);
    all.push_back(finished(sum));
  }
}

}  // namespace mq::bench::results
