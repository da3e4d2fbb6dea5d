#pragma once
#include <chrono>
#include <optional>
#include <string>

#include <mqtt/util/time.hpp>

#include "common/options.hpp"
#include "common/secrets.hpp"

namespace mq::spy {

/// What `mqspy replay` says again, and how.
struct ReplayConfig {
  std::optional<std::string> connection;  ///< "c3"
  double speed = 1;                       ///< 0: as fast as the answers allow
  mqtt::Duration answer_timeout = std::chrono::seconds{10};
  SecretSource password;
};

void declare_replay_options(Options& options, ReplayConfig& config);

}  // namespace mq::spy
