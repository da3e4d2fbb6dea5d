#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <mqtt/bridge/bridge.hpp>
#include <mqtt/broker/events.hpp>
#include <mqtt/server/server.hpp>

namespace mq {

struct BridgeFacts {
  std::string name;
  mqtt::bridge::BridgeStatus status;
};

/// What the pages of --metrics say, at one moment.
struct BrokerFacts {
  mqtt::broker::Counters counters;
  mqtt::server::ServerCounters server;
  std::vector<mqtt::broker::SlowClient> slow_clients;  ///< the worst of them; only the status page wants them
  std::vector<BridgeFacts> bridges;
  std::size_t connections_max = 0;
  std::size_t memory_max_bytes = 0;
  mqtt::Duration uptime{};
  std::string fault;  ///< why nothing can be kept now; empty: all is well
};

/// Resident memory of this process; 0 if /proc does not say.
[[nodiscard]] std::uint64_t resident_bytes();

}  // namespace mq
