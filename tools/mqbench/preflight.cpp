#include "mqbench/preflight.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>

namespace mq::bench {
namespace {

/// Standard descriptors, files and what the process has inherited; and those of a worker's loop and timers.
constexpr std::uint64_t descriptors_of_process = 32;
constexpr std::uint64_t descriptors_of_thread = 16;

}  // namespace

Resources Resources::of_this_process() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  std::uint64_t first = 32'768, last = 60'999;  // Linux's default
  std::ifstream{"/proc/sys/net/ipv4/ip_local_port_range"} >> first >> last;
  return {.descriptors = limit.rlim_cur, .ports = last >= first ? last - first + 1 : 0};
}

std::optional<Sentence> find_shortage(const Scenario& scenario, const ConnectionConfig& connection,
                                      unsigned threads, const Resources& resources) {
  const std::uint64_t clients = scenario.clients();
  const std::uint64_t descriptors = clients + descriptors_of_process + threads * descriptors_of_thread;
  if (descriptors > resources.descriptors)
    return Sentence{
        fmt::format("{} clients need {} descriptors, and this process may have {}: {} too few", clients,
                    descriptors, resources.descriptors, descriptors - resources.descriptors),
        "raise the hard limit (ulimit -Hn), or use fewer clients"};
  if (!connection.unix_path.empty()) return std::nullopt;
  const std::uint64_t sources = std::max<std::size_t>(scenario.sources.size(), 1);
  if (clients > resources.ports * sources)
    return Sentence{
        fmt::format("{} clients need as many ports, and there are {} (net.ipv4.ip_local_port_range) for "
                    "each of {} source addresses: {} too few",
                    clients, resources.ports, sources, clients - resources.ports * sources),
        "widen that range, or give more addresses with --source"};
  return std::nullopt;
}

}  // namespace mq::bench
