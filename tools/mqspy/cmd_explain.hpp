#pragma once
#include "common/exit_code.hpp"
#include "mqspy/options.hpp"

namespace mq::spy {

/// Says what a clause, reason code, property or packet type is, or what lint covers.
[[nodiscard]] ExitCode explain_command(const SpyConfig& config);

}  // namespace mq::spy
