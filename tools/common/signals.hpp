#pragma once
#include <functional>
#include <optional>

#include <mqtt/net/loop.hpp>

#include "common/exit_code.hpp"

namespace mq {

/// SIGINT and SIGTERM, unless the process was started with them ignored: the first one asks for a graceful
/// end, a second one ends the process at once. SIGUSR1 asks for a line of statistics.
class Signals {
 public:
  struct Callbacks {
    std::function<void()> on_stop;
    std::function<void()> on_statistics;
  };

  Signals(mqtt::net::Loop& loop, Callbacks callbacks);

  /// The signal that asked for the end; 0 if none has.
  [[nodiscard]] int stop_signal() const { return stop_signal_; }

 private:
  void stop(int signal_number);

  Callbacks callbacks_;
  int stop_signal_ = 0;
  mqtt::net::SignalWatcher statistics_;
  std::optional<mqtt::net::SignalWatcher> interrupt_;
  std::optional<mqtt::net::SignalWatcher> terminate_;
};

/// Ends the process by `signal_number` itself, so that a shell sees 130 or 143 and a loop around the
/// program stops.
[[noreturn]] void die_by(int signal_number);

}  // namespace mq
