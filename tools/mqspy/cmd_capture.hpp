#pragma once
#include "mqspy/options.hpp"

namespace mq::spy {

/// `mqspy capture -i IFACE [FILTER…]`
[[nodiscard]] ExitCode capture_command(const SpyConfig& config);

}  // namespace mq::spy
