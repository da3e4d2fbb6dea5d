#pragma once
#include <optional>

#include "common/diag.hpp"
#include "common/exit_code.hpp"
#include "mqbench/options.hpp"
#include "mqbench/run_result.hpp"

namespace mq::bench {

/// Why this machine cannot run it; nothing if it can.
[[nodiscard]] std::optional<Sentence> shortage_of(const BenchConfig& config);

/// What may keep its clients waiting while they connect.
[[nodiscard]] std::optional<Sentence> crowding_of(const BenchConfig& config);

struct SingleRun {
  std::optional<RunResult> result;  ///< nothing if it did not come to its start
  ExitCode code = ExitCode::ok;
  int stop_signal = 0;  ///< that ended it; 0: none has
};

/// The scenario, as a run of its own: with another run id than any before, and its thresholds judged. What
/// goes wrong is said. Secrets are asked for once, and kept in `config`.
[[nodiscard]] SingleRun run_once(BenchConfig& config, Diag& diag);

}  // namespace mq::bench
