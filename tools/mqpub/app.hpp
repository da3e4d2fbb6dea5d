#pragma once
#include "common/exit_code.hpp"
#include "mqpub/options.hpp"

namespace mq {

/// Connects, publishes everything, waits for what is to be acknowledged, and leaves. Errors have been
/// written to stderr when it returns. A signal that ended it is raised again and does not return.
[[nodiscard]] ExitCode publish(PubConfig config);

}  // namespace mq
