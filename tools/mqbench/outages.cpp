#include "mqbench/outages.hpp"

#include <algorithm>

namespace mq::bench {

std::vector<Outage> find_outages(std::span<const Interval> intervals, const Service& service) {
  std::vector<Outage> outages;
  const std::size_t end = std::min(intervals.size(), service.due_seconds);
  bool down = false;
  for (std::size_t second = 0; second < end; ++second) {
    const Interval& now = intervals[second];
    const std::uint64_t connections = now.connections.value_or(service.clients);
    const bool silent = service.delivers && now.received == 0;
    if (down && connections == service.clients && !silent) outages.back().over = true;
    down = connections < service.clients || silent;
    if (!down) continue;
    if (outages.empty() || outages.back().over)
      outages.push_back({.from = second, .connections = service.clients});
    Outage& outage = outages.back();
    outage.to = second + 1;
    outage.connections = std::min(outage.connections, connections);
    outage.received += now.received;
  }
  return outages;
}

}  // namespace mq::bench
