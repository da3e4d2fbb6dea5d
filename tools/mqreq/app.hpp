#pragma once
#include "common/exit_code.hpp"
#include "mqreq/options.hpp"

namespace mq {

/// Connects, sends the request, and writes its replies to standard output until there are as many as are
/// wanted, or the deadline, a signal or the connection's end comes first.
[[nodiscard]] ExitCode request(const ReqConfig& config);

}  // namespace mq
