#pragma once
#include <uv.h>

#include <mqtt/net/loop.hpp>
#include <mqtt/util/timers.hpp>

namespace mqtt::net {

/// All timers of a loop, over one of libuv's: what a Timer takes is its place here.
class TimerQueue {
 public:
  explicit TimerQueue(Loop& loop);
  ~TimerQueue();
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  void set(Timer& timer, TimePoint when);
  void cancel(Timer& timer);

 private:
  struct Handle {
    uv_timer_t handle{};
  };

  void place(Timer& timer, TimePoint when);
  void arm();
  void fire();

  Loop& loop_;
  Handle* handle_;
  Timers<Timer, &Timer::place_> queue_;
  Deadline armed_for_;  // what libuv will wake us for: never later than the first
  Deadline firing_at_;  // while timers are called
};

}  // namespace mqtt::net
