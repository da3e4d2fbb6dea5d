#include "mqbench/precise_timer.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace mq::bench {

mqtt::Result<std::unique_ptr<PreciseTimer>> PreciseTimer::open(mqtt::net::Loop& loop,
                                                               std::function<void()> on_time) {
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);  // the clock of TimePoint
  if (fd < 0) return std::unexpected(mqtt::system_error(errno, "cannot make a timer"));
  std::unique_ptr<PreciseTimer> timer{new PreciseTimer{fd, std::move(on_time)}};
  auto watcher =
      mqtt::net::FdWatcher::open(loop, fd, [raw = timer.get()](mqtt::net::FdEvents) { raw->fire(); });
  if (!watcher) return std::unexpected(std::move(watcher.error()));
  timer->watcher_ = std::move(*watcher);
  timer->watcher_->watch({.readable = true});
  return timer;
}

PreciseTimer::~PreciseTimer() {
  watcher_.reset();
  close(fd_);
}

/// Setting it anew, as a schedule does, also takes back that it is readable: that spares a system call.
void PreciseTimer::fire() {
  fired_ = true;
  on_time_();
  if (!fired_) return;
  std::uint64_t expirations = 0;
  [[maybe_unused]] const auto size = read(fd_, &expirations, sizeof expirations);
}

void PreciseTimer::set(mqtt::Deadline when) {
  fired_ = false;
  itimerspec setting{};  // of zeros: off
  if (when) {
    // Zero would be off, too.
    const auto ns = std::max<mqtt::Duration::rep>(when->time_since_epoch().count(), 1);
    constexpr mqtt::Duration::rep second = 1'000'000'000;
    setting.it_value = {.tv_sec = ns / second, .tv_nsec = ns % second};
  }
  timerfd_settime(fd_, TFD_TIMER_ABSTIME, &setting, nullptr);
}

}  // namespace mq::bench
