#pragma once
#include "common/exit_code.hpp"
#include "mqspy/options.hpp"

namespace mq::spy {

/// Reads a capture or a recording, and shows it or only what is wrong in it.
[[nodiscard]] ExitCode read_command(const SpyConfig& config);

}  // namespace mq::spy
