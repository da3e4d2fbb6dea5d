#pragma once
#include <memory>

#include "mqbench/progress_reporter.hpp"

namespace mq::bench {

/// Draws live_lines() on the second screen of the terminal at standard error, which has its first one back
/// when this is destroyed. Meanwhile the lines of `diag` are shown below it, and written afterwards.
[[nodiscard]] std::unique_ptr<ProgressReporter> make_live_screen(mqtt::net::Loop& loop, Diag& diag);

}  // namespace mq::bench
