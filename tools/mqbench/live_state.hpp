#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/util/time.hpp>

#include "mqbench/interval_log.hpp"
#include "mqbench/usage_meter.hpp"

namespace mq::bench {

enum class Phase : std::uint8_t { connecting, running, draining };

[[nodiscard]] std::string_view to_string(Phase phase);

/// What is known of a run while it lasts, over all workers of this process.
struct LiveState {
  std::string_view scenario = {};
  Phase phase = Phase::connecting;
  std::optional<mqtt::Duration> elapsed = {};  ///< since the common start
  std::optional<mqtt::Duration> left = {};     ///< until the last message is due
  std::uint64_t clients = 0;
  std::uint64_t ready = 0;
  std::uint64_t connections = 0;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;                        ///< different messages
  std::uint64_t expected = 0;                        ///< of them, of what was sent
  std::map<std::string, std::uint64_t> errors = {};  ///< by reason; those that have not come are not there
  const IntervalLatency* last_second = nullptr;      ///< of the last complete second with messages
  const Histogram* so_far = nullptr;
  std::optional<Usage> usage = {};  ///< in the last complete second

  [[nodiscard]] std::uint64_t under_way() const { return expected > received ? expected - received : 0; }
};

}  // namespace mq::bench
