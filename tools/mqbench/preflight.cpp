#include "mqbench/preflight.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <system_error>

#include <mqtt/net/address.hpp>
#include <mqtt/net/owned_fd.hpp>

namespace mq::bench {
namespace {

/// Standard descriptors, files and what the process has inherited; and those of a worker's loop and timers.
constexpr std::uint64_t descriptors_of_process = 32;
constexpr std::uint64_t descriptors_of_thread = 16;

/// A port of ours serves once for each address that it is connected to; a unix socket takes none.
std::map<std::string, std::uint64_t> clients_by_address(const Scenario& scenario, const BrokerList& brokers,
                                                        const ConnectionConfig& connection) {
  const std::vector<ConnectionConfig> all = brokers.connections(connection);
  std::map<std::string, std::uint64_t> clients;
  const auto add = [&](std::uint32_t broker) {
    if (all[broker].unix_path.empty()) ++clients[all[broker].where()];
  };
  for (std::uint32_t n = 0; n < scenario.publishers; ++n) add(brokers.of_publisher(n));
  for (std::uint32_t n = 0; n < scenario.subscribers; ++n) add(brokers.of_subscriber(n));
  return clients;
}

/// What the kernel says to a socket that is to have this address: an errno value, or 0.
int try_address(const std::string& source) {
  const auto address = mqtt::net::SocketAddress::parse(source, 0);
  if (!address) return 0;  // refused as an option
  const mqtt::net::OwnedFd fd{::socket(address->raw()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  return ::bind(fd.get(), address->raw(), address->raw_size()) == 0 ? 0 : errno;
}

}  // namespace

Resources Resources::of_this_process() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  std::uint64_t first = 32'768, last = 60'999;  // Linux's default
  std::ifstream{"/proc/sys/net/ipv4/ip_local_port_range"} >> first >> last;
  std::uint64_t backlog = 0;
  std::ifstream{"/proc/sys/net/core/somaxconn"} >> backlog;
  return {.descriptors = limit.rlim_cur, .ports = last >= first ? last - first + 1 : 0, .backlog = backlog};
}

std::optional<Sentence> find_shortage(const Scenario& scenario, const BrokerList& brokers,
                                      const ConnectionConfig& connection, unsigned threads,
                                      const Resources& resources) {
  const std::uint64_t clients = scenario.clients();
  const std::uint64_t descriptors = clients + descriptors_of_process + threads * descriptors_of_thread;
  if (descriptors > resources.descriptors)
    return Sentence{
        fmt::format("{} clients need {} descriptors, and this process may have {}: {} too few", clients,
                    descriptors, resources.descriptors, descriptors - resources.descriptors),
        "raise the hard limit (ulimit -Hn), or use fewer clients"};
  const std::uint64_t sources = std::max<std::size_t>(scenario.sources.size(), 1);
  for (const auto& [address, at_it] : clients_by_address(scenario, brokers, connection))
    if (at_it > resources.ports * sources)
      return Sentence{
          fmt::format(
              "{} clients of {} need as many ports, and there are {} (net.ipv4.ip_local_port_range) for "
              "each of {} source addresses: {} too few",
              at_it, address, resources.ports, sources, at_it - resources.ports * sources),
          "widen that range, or give more addresses with --source, or more brokers with --broker"};
  return std::nullopt;
}

std::optional<Sentence> find_foreign_source(const Scenario& scenario) {
  for (const std::string& source : scenario.sources)
    if (const int fault = try_address(source); fault == EADDRNOTAVAIL)
      return Sentence{fmt::format("source address {}: {}", source, std::generic_category().message(fault)),
                      "give addresses that this machine has: ip address"};
  return std::nullopt;
}

std::optional<Sentence> find_crowding(const Scenario& scenario, const Resources& resources) {
  const double at_once = std::min(scenario.ramp, static_cast<double>(scenario.clients()));
  if (resources.backlog == 0 || at_once <= static_cast<double>(resources.backlog)) return std::nullopt;
  return Sentence{
      fmt::format("{:.0f} clients come within a second, and a broker on this machine lets {} wait "
                  "(net.core.somaxconn): {:.0f} may have to try again",
                  at_once, resources.backlog, at_once - static_cast<double>(resources.backlog)),
      "raise that limit and the broker's own, or lower --ramp"};
}

}  // namespace mq::bench
