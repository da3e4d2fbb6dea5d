#pragma once
#include <functional>
#include <memory>
#include <utility>

#include <mqtt/net/loop.hpp>
#include <mqtt/util/error.hpp>
#include <mqtt/util/time.hpp>

namespace mq::bench {

/// One shot at an absolute time, as exact as the kernel can (some 50 us), where the loop's own timers are
/// exact to a millisecond. Keeps Loop::run() going.
class PreciseTimer {
 public:
  [[nodiscard]] static mqtt::Result<std::unique_ptr<PreciseTimer>> open(mqtt::net::Loop& loop,
                                                                        std::function<void()> on_time);
  ~PreciseTimer();
  PreciseTimer(const PreciseTimer&) = delete;
  PreciseTimer& operator=(const PreciseTimer&) = delete;

  /// Replaces an earlier setting; a time that has passed comes at once, nullopt never.
  void set(mqtt::Deadline when);

 private:
  PreciseTimer(int fd, std::function<void()> on_time) : fd_{fd}, on_time_{std::move(on_time)} {}

  void fire();

  int fd_;
  std::function<void()> on_time_;
  bool fired_ = false;  // and not set again since
  std::unique_ptr<mqtt::net::FdWatcher> watcher_;
};

}  // namespace mq::bench
