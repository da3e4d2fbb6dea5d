#include <fcntl.h>
#include <fmt/format.h>

#include <utility>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/uv_handle.hpp>

namespace mqtt::net {

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
