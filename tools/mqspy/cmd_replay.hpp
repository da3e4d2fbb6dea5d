#pragma once
#include "mqspy/options.hpp"

namespace mq::spy {

/// `mqspy replay FILE --to URL`
[[nodiscard]] ExitCode replay_command(const SpyConfig& config);

}  // namespace mq::spy
