#pragma once
#include <optional>
#include <string>

#include <mqtt/client/endpoint.hpp>
#include <mqtt/util/time.hpp>

#include "mqbench/shard.hpp"

namespace mq::bench {

/// How a process takes part in a run of several.
struct ShardConfig {
  std::optional<Shard> shard;                ///< none: this process is the whole run
  std::optional<mqtt::Endpoint> rendezvous;  ///< after parsing there if `shard` is
  std::string run_name = "mqbench";
  mqtt::Duration patience = std::chrono::seconds{60};
};

}  // namespace mq::bench
