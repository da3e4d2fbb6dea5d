#pragma once
#include <memory>
#include <string>
#include <string_view>

#include <mqtt/net/loop.hpp>

#include "common/diag.hpp"
#include "mqbench/live_state.hpp"
#include "mqbench/results_config.hpp"

namespace mq::bench {

/// Says on standard error how far a run is, as --progress asks for it.
class ProgressReporter {
 public:
  /// Before anything has happened. Only a display has something to show then.
  virtual void begin(const LiveState& /*state*/, mqtt::TimePoint /*now*/) {}
  /// A look at the run. `now` is that of the loop.
  virtual void show(const LiveState& state, mqtt::TimePoint now) = 0;
  /// The run is to end: the next signal ends the process at once, and a display must be gone by then.
  virtual void give_back() {}
  virtual ~ProgressReporter() = default;
};

/// `automatic`: a display if standard error is a terminal that can be drawn on and log lines are text for
/// people, else lines. Destroying it gives the terminal back.
[[nodiscard]] std::unique_ptr<ProgressReporter> make_progress_reporter(ProgressMode mode,
                                                                       mqtt::net::Loop& loop, Diag& diag);

}  // namespace mq::bench
