#include "common/signals.hpp"

#include <csignal>
#include <cstdlib>
#include <utility>

namespace mq {

Signals::Signals(mqtt::net::Loop& loop, Callbacks callbacks)
    : callbacks_{std::move(callbacks)},
      interrupt_{loop, SIGINT, [this] { stop(SIGINT); }},
      terminate_{loop, SIGTERM, [this] { stop(SIGTERM); }},
      statistics_{loop, SIGUSR1, [this] { callbacks_.on_statistics(); }} {}

void Signals::stop(int signal_number) {
  if (stop_signal_ != 0) die_by(signal_number);
  stop_signal_ = signal_number;
  callbacks_.on_stop();
}

void die_by(int signal_number) {
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
  std::_Exit(128 + signal_number);  // the signal was blocked
}

}  // namespace mq
