#pragma once
#include <string>

#include "common/exit_code.hpp"
#include "mqbench/options.hpp"

namespace mq::bench {

/// `mqbench search`: as bench().
[[nodiscard]] ExitCode search(BenchConfig config, std::string command_line);

}  // namespace mq::bench
