#include "mqbench/results/merge_activity.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "mqbench/results/merge_intervals.hpp"

namespace mq::bench::results {
namespace {

struct Throttling {
  std::uint64_t periods = 0;
  double seconds = 0;
};

}  // namespace

std::optional<StoredActivity> merge_activity(std::span<const StoredResult> parts) {
  std::optional<StoredActivity> all;
  std::map<std::string, Throttling> hosts;
  for (const StoredResult& part : parts) {
    if (!part.activity) continue;
    if (!all) all.emplace();
    all->segments_sent += part.activity->segments_sent;
    all->segments_resent += part.activity->segments_resent;
    all->stolen = std::max(all->stolen, part.activity->stolen);
    // Nothing is less than any number.
    all->busiest_reception = std::max(all->busiest_reception, part.activity->busiest_reception);
    Throttling& host = hosts[host_of(part)];
    host.periods = std::max(host.periods, part.activity->throttled_periods);
    host.seconds = std::max(host.seconds, part.activity->throttled_s);
  }
  for (const auto& [name, host] : hosts) {
    all->throttled_periods += host.periods;
    all->throttled_s += host.seconds;
  }
  return all;
}

}  // namespace mq::bench::results
