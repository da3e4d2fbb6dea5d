#pragma once
#include "common/exit_code.hpp"
#include "mqspy/options.hpp"

namespace mq::spy {

/// Takes packets apart that are given as hexadecimal digits, base64 or bytes.
[[nodiscard]] ExitCode decode_command(const SpyConfig& config);

}  // namespace mq::spy
