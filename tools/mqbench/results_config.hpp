#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/address.hpp>

#include "mqbench/threshold.hpp"

namespace mq::bench {

/// What is said on standard error while a run lasts.
enum class ProgressMode : std::uint8_t { automatic, text, json, none };

/// What is looked at during a run, and where its results go.
struct ResultsConfig {
  std::string json_file;  ///< "-" is standard output; empty: none
  std::string hdr_file;
  std::string csv_file;
  std::vector<pid_t> watched;  ///< processes of the broker
  std::vector<Threshold> thresholds;
  ProgressMode progress = ProgressMode::automatic;
  std::optional<mqtt::net::HostPort> prometheus;  ///< where the run can be watched over HTTP
  bool self = false;                              ///< against a broker in this process
};

}  // namespace mq::bench
