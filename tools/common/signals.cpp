#include "common/signals.hpp"

#include <csignal>
#include <cstdlib>
#include <utility>

namespace mq {
namespace {

/// As a shell leaves SIGINT for what it starts with '&'; such a job is not to be interrupted.
bool ignored(int signal_number) {
  struct sigaction action{};
  return sigaction(signal_number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

Signals::Signals(mqtt::net::Loop& loop, Callbacks callbacks)
    : callbacks_{std::move(callbacks)}, statistics_{loop, SIGUSR1, [this] { callbacks_.on_statistics(); }} {
  if (!ignored(SIGINT)) interrupt_.emplace(loop, SIGINT, [this] { stop(SIGINT); });
  if (!ignored(SIGTERM)) terminate_.emplace(loop, SIGTERM, [this] { stop(SIGTERM); });
}

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
