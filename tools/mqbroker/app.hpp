#pragma once
#include "common/exit_code.hpp"
#include "mqbroker/options.hpp"

namespace mq {

/// Runs the broker until a signal ends it, or only says whether it could.
[[nodiscard]] ExitCode serve(const BrokerSettings& settings);

}  // namespace mq
