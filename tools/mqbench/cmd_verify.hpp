#pragma once
#include <string>

#include "common/exit_code.hpp"
#include "mqbench/options.hpp"

namespace mq::bench {

/// `mqbench verify`: as bench().
[[nodiscard]] ExitCode verify(BenchConfig config, std::string command_line);

}  // namespace mq::bench
