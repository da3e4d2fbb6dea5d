#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/time.hpp>

#include "mqbench/scenario.hpp"
#include "mqbench/schedule.hpp"

namespace mq::bench {

/// A scenario made concrete: what all workers share, and nobody changes while they run.
struct Plan {
  Scenario scenario;
  std::uint32_t run = 0;  ///< of Stamp::run
  LoadPattern load;
  std::string client_prefix;
  std::vector<std::uint8_t> payload;  ///< the stamp's place, then what all messages share

  [[nodiscard]] std::string topic_of(std::uint32_t publisher) const;
  [[nodiscard]] std::string filter_of(std::uint32_t subscriber) const;
  /// Whether a message that was due then counts for the latencies.
  [[nodiscard]] bool measures(mqtt::Duration since_start) const {
    return since_start >= scenario.warmup && since_start < scenario.length();
  }
};

[[nodiscard]] Plan make_plan(const Scenario& scenario, std::uint32_t run, std::string client_prefix);

}  // namespace mq::bench
