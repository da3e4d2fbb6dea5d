#pragma once
#include "common/exit_code.hpp"

namespace mq::bench::report {

/// "mqbench report RESULT... -o FILE". `arguments` begin with "report".
[[nodiscard]] ExitCode report_command(int argc, char** arguments);

}  // namespace mq::bench::report
