#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/uv_handle.hpp>

namespace mqtt::net {

struct Timer::State {
  uv_timer_t handle{};
  Loop* loop;
  std::function<void()> on_time;
  Deadline when;       // what the owner wants
  Deadline armed_for;  // what libuv will wake us for: never later than `when`

  State(Loop& l, std::function<void()> callback) : loop{&l}, on_time{std::move(callback)} {}
  void arm();
  void fire();
};

void Timer::State::arm() {
  constexpr std::int64_t ns_per_ms = 1'000'000;
  uv_update_time(handle.loop);
  // libuv counts whole milliseconds of its own clock: aim at the first that is not early.
  const auto into_ms = static_cast<std::int64_t>(uv_hrtime() % ns_per_ms);
  const std::int64_t ns_left = std::max<std::int64_t>((*when - loop->refresh_now()).count(), 0);
  const std::int64_t delay_ms = ns_left == 0 ? 0 : (ns_left + into_ms + ns_per_ms - 1) / ns_per_ms;
  armed_for = when;
  uv_timer_start(
      &handle, [](uv_timer_t* timer) { static_cast<State*>(timer->data)->fire(); },
      static_cast<std::uint64_t>(delay_ms), 0);
}

void Timer::State::fire() {
  armed_for.reset();
  // Early by the clocks' difference, or set to a later time meanwhile.
  if (loop->refresh_now() < *when) return arm();
  when.reset();
  on_time();
}

Timer::Timer(Loop& loop, std::function<void()> on_time) : state_{new State{loop, std::move(on_time)}} {
  uv_timer_init(loop.handle(), &state_->handle);
  state_->handle.data = state_;
}

Timer::~Timer() { close_and_delete(state_); }

void Timer::set(TimePoint when) {
  state_->when = when;
  // Keep-alive deadlines move on with every packet: waking up once too early is cheaper than moving
  // the timer each time.
  if (state_->armed_for && *state_->armed_for <= when) return;
  state_->arm();
}

void Timer::cancel() {
  state_->when.reset();
  state_->armed_for.reset();
  uv_timer_stop(&state_->handle);
}

struct SignalWatcher::State {
  uv_signal_t handle{};
  std::function<void()> on_signal;
};

SignalWatcher::SignalWatcher(Loop& loop, int signal_number, std::function<void()> on_signal)
    : state_{new State{{}, std::move(on_signal)}} {
  uv_signal_init(loop.handle(), &state_->handle);
  state_->handle.data = state_;
  uv_signal_start(
      &state_->handle, [](uv_signal_t* handle, int) { static_cast<State*>(handle->data)->on_signal(); },
      signal_number);
  uv_unref(as_handle(state_->handle));
}

SignalWatcher::~SignalWatcher() { close_and_delete(state_); }

struct FdWatcher::State {
  uv_poll_t handle{};
  Callback on_event;
};

Result<std::unique_ptr<FdWatcher>> FdWatcher::open(Loop& loop, int fd, Callback on_event) {
  const int flags = fcntl(fd, F_GETFL);
  auto state = std::unique_ptr<State>{new State{{}, std::move(on_event)}};
  if (const int fault = uv_poll_init(loop.handle(), &state->handle, fd))
    return std::unexpected(system_error(-fault, fmt::format("cannot watch descriptor {}", fd)));
  if (flags >= 0) fcntl(fd, F_SETFL, flags);  // libuv has made it non-blocking
  state->handle.data = state.get();
  return std::unique_ptr<FdWatcher>{new FdWatcher{state.release()}};
}

FdWatcher::~FdWatcher() { close_and_delete(state_); }

void FdWatcher::watch(FdEvents interest) {
  const int events = (interest.readable ? UV_READABLE : 0) | (interest.writable ? UV_WRITABLE : 0) |
                     (interest.hung_up ? UV_DISCONNECT : 0);
  if (events == 0) {
    uv_poll_stop(&state_->handle);
    return;
  }
  uv_poll_start(&state_->handle, events, [](uv_poll_t* handle, int status, int happened) {
    // A bare error condition (a pipe that lost its reader) comes as a status; libuv has stopped then.
    const FdEvents what = status < 0 ? FdEvents{.hung_up = true}
                                     : FdEvents{(happened & UV_READABLE) != 0, (happened & UV_WRITABLE) != 0,
                                                (happened & UV_DISCONNECT) != 0};
    static_cast<State*>(handle->data)->on_event(what);
  });
}

}  // namespace mqtt::net
