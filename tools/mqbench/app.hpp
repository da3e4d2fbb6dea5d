#pragma once
#include "common/exit_code.hpp"
#include "mqbench/options.hpp"

namespace mq::bench {

/// Does what the command says. Errors have been written to stderr when it returns. A signal that ended it is
/// raised again and does not return. `command_line` is for the result, without secrets.
[[nodiscard]] ExitCode bench(BenchConfig config, std::string command_line);

}  // namespace mq::bench
