#include <fmt/format.h>

#include <iterator>

#include "mqbench/run_result.hpp"

namespace mq::bench {
namespace {

constexpr std::string_view head =
    "t_s,sent,received,connections,latency_count,latency_p50_ns,latency_p99_ns,latency_p99_9_ns,latency_max_"
    "ns,"
    "tool_cpu,broker_cpu,broker_rss_bytes,broker_fds\r\n";

template <class T>
std::string field(const std::optional<T>& value) {
  return value ? fmt::format("{}", *value) : "";
}

std::string latency_fields(const std::optional<IntervalLatency>& latency) {
  if (!latency) return ",,,,";
  return fmt::format("{},{},{},{},{}", latency->count, latency->p50, latency->p99, latency->p99_9,
                     latency->max);
}

}  // namespace

/// RFC 4180.
std::string as_csv(const RunResult& result) {
  std::string text{head};
  for (std::size_t second = 0; second < result.intervals.size(); ++second) {
    const Interval& each = result.intervals[second];
    fmt::format_to(std::back_inserter(text), "{},{},{},{},{},{},{},{},{}\r\n", second, each.sent,
                   each.received, field(each.connections), latency_fields(each.latency), field(each.tool_cpu),
                   field(each.broker_cpu), field(each.broker_rss_bytes), field(each.broker_descriptors));
  }
  return text;
}

}  // namespace mq::bench
