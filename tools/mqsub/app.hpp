#pragma once
#include "common/exit_code.hpp"
#include "mqsub/options.hpp"

namespace mq {

/// Connects, subscribes, and writes messages to standard output until the goal, the deadline, a signal
/// or the connection's end. A message is acknowledged only after its output has been written.
[[nodiscard]] ExitCode subscribe(const SubConfig& config);

}  // namespace mq
