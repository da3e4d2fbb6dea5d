#pragma once
#include "common/exit_code.hpp"
#include "mqspy/options.hpp"

namespace mq::spy {

/// Does what the command line asks for.
[[nodiscard]] ExitCode spy(const SpyConfig& config);

}  // namespace mq::spy
