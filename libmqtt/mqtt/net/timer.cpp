#include <algorithm>
#include <utility>

#include <mqtt/net/timer_queue.hpp>
#include <mqtt/net/uv_handle.hpp>

namespace mqtt::net {

TimerQueue::TimerQueue(Loop& loop) : loop_{loop}, handle_{new Handle{}} {
  uv_timer_init(loop.handle(), &handle_->handle);
  handle_->handle.data = this;
}

TimerQueue::~TimerQueue() { close_and_delete(handle_); }

void TimerQueue::set(Timer& timer, TimePoint when) {
  timer.when_ = when;
  // Keep-alive deadlines move on with every packet: waking up once too early is cheaper than moving
  // the timer each time.
  if (timer.place_.armed() && timer.place_.when <= when) return;
  place(timer, when);
}

void TimerQueue::place(Timer& timer, TimePoint when) {
  // What a callback sets for a time that has passed comes behind those that are due already.
  if (firing_at_) when = std::max(when, *firing_at_ + Duration{1});
  queue_.set(timer, when);
  if (!firing_at_) arm();
}

void TimerQueue::cancel(Timer& timer) {
  queue_.cancel(timer);
  if (queue_.next() || !armed_for_) return;
  armed_for_.reset();
  uv_timer_stop(&handle_->handle);
}

void TimerQueue::arm() {
  const Deadline first = queue_.next();
  if (!first || (armed_for_ && *armed_for_ <= *first)) return;
  constexpr std::int64_t ns_per_ms = 1'000'000;
  uv_update_time(handle_->handle.loop);
  // libuv counts whole milliseconds of its own clock: aim at the first that is not early.
  const auto into_ms = static_cast<std::int64_t>(uv_hrtime() % ns_per_ms);
  const std::int64_t ns_left = std::max<std::int64_t>((*first - loop_.refresh_now()).count(), 0);
  const std::int64_t delay_ms = ns_left == 0 ? 0 : (ns_left + into_ms + ns_per_ms - 1) / ns_per_ms;
  armed_for_ = first;
  uv_timer_start(
      &handle_->handle, [](uv_timer_t* timer) { static_cast<TimerQueue*>(timer->data)->fire(); },
      static_cast<std::uint64_t>(delay_ms), 0);
}

void TimerQueue::fire() {
  const TimePoint now = loop_.refresh_now();
  armed_for_.reset();
  firing_at_ = now;
  while (Timer* const timer = queue_.take_due(now)) {
    const SmallCall on_time = timer->on_time_;  // outlives the timer
    if (timer->when_ > now)
      place(*timer, timer->when_);  // set to a later time meanwhile
    else
      on_time();
  }
  firing_at_.reset();
  arm();
}

Timer::~Timer() { loop_->timers().cancel(*this); }

void Timer::set(TimePoint when) { loop_->timers().set(*this, when); }

void Timer::cancel() { loop_->timers().cancel(*this); }

}  // namespace mqtt::net
