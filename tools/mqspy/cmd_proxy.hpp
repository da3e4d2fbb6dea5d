#pragma once
#include "common/exit_code.hpp"
#include "mqspy/options.hpp"

namespace mq::spy {

/// `mqspy proxy`: until a signal, or until what was waited for has come.
[[nodiscard]] ExitCode proxy_command(const SpyConfig& config);

}  // namespace mq::spy
