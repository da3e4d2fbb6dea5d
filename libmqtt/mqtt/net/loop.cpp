#include <mqtt/net/loop.hpp>

#include <fmt/format.h>
#include <uv.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include <mqtt/net/timer_queue.hpp>

namespace mqtt::net {

struct Loop::State {
  uv_loop_t loop{};
  uv_prepare_t before_wait{};  // runs end_turn()
  uv_idle_t no_wait{};         // active while hooks are left for the next turn
  std::unique_ptr<TimerQueue> timers;
  TurnEndLink hooks{&hooks, &hooks};  // requested ones, a ring that begins and ends here
  std::size_t requested = 0;
  std::optional<TimePoint> now;
  bool stopped = false;
};

Loop::Loop()
    : read_buffer_{std::make_unique_for_overwrite<std::uint8_t[]>(read_buffer_bytes)},
      state_{std::make_unique<State>()} {
  std::signal(SIGPIPE, SIG_IGN);  // libuv writes without MSG_NOSIGNAL
  if (const int fault = uv_loop_init(&state_->loop)) {
    // Only when the process is out of descriptors before it has done anything.
    fmt::print(stderr, "cannot make an event loop: {}\n", uv_strerror(fault));
    std::abort();
  }
  state_->loop.data = this;
  state_->timers = std::make_unique<TimerQueue>(*this);
  uv_prepare_init(&state_->loop, &state_->before_wait);
  uv_idle_init(&state_->loop, &state_->no_wait);
  state_->before_wait.data = this;
  uv_prepare_start(&state_->before_wait,
                   [](uv_prepare_t* handle) { static_cast<Loop*>(handle->data)->end_turn(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(&state_->before_wait));
}

Loop::~Loop() {
  state_->timers.reset();
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->before_wait), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&state_->no_wait), nullptr);
  // One turn frees what is closing; close callbacks that close more need another.
  constexpr int turns_max = 4;
  for (int turn = 0; turn < turns_max; ++turn) {
    uv_run(&state_->loop, UV_RUN_NOWAIT);
    if (uv_loop_close(&state_->loop) == 0) return;
  }
  // Somebody outlives the loop against the contract: better a leak than handles in freed memory.
  [[maybe_unused]] const State* const leaked = state_.release();
}

uv_loop_s* Loop::handle() { return &state_->loop; }

TimerQueue& Loop::timers() { return *state_->timers; }

TimePoint Loop::now() { return state_->now ? *state_->now : refresh_now(); }

TimePoint Loop::refresh_now() {
  state_->now = std::chrono::steady_clock::now();
  return *state_->now;
}

void Loop::run() {
  run_requested();
  while (!state_->stopped) {
    uv_run(&state_->loop, UV_RUN_DEFAULT);
    // The last turn ends outside of libuv: its prepare handles run at the head of a turn.
    end_turn();
    if (state_->requested == 0 && !uv_loop_alive(&state_->loop)) break;
  }
  state_->stopped = false;
}

void Loop::stop() {
  state_->stopped = true;
  uv_stop(&state_->loop);
}

void Loop::set_coalescing(Duration rest) { coalescing_.set_rest(rest); }

void Loop::end_turn() {
  const TimePoint began = coalescing_.enabled() ? now() : TimePoint{};
  run_requested();
  state_->now.reset();
  if (state_->requested > 0)
    uv_idle_start(&state_->no_wait, [](uv_idle_t*) {});
  else
    uv_idle_stop(&state_->no_wait);
  if (coalescing_.enabled() && !state_->stopped) rest_after(began);
}

void Loop::rest_after(TimePoint began) {
  const Duration rest = coalescing_.after_turn(began);
  if (rest > Duration::zero()) std::this_thread::sleep_for(rest);
  coalescing_.waits_from(std::chrono::steady_clock::now());
}

void Loop::run_requested() {
  // Hooks may request each other; what goes on for longer than this lets sockets have a turn.
  constexpr int passes_max = 16;
  for (int pass = 0; state_->requested > 0 && pass < passes_max; ++pass) {
    for (std::size_t left = state_->requested; left > 0 && state_->requested > 0; --left) {
      TurnEnd& hook = static_cast<TurnEnd&>(*state_->hooks.next);
      hook.cancel();
      const SmallCall callback = hook.callback_;  // outlives the hook
      callback();
    }
  }
}

void TurnEnd::request() {
  if (requested()) return;
  Loop::State& loop = *loop_->state_;
  next = &loop.hooks;
  previous = loop.hooks.previous;
  previous->next = next->previous = this;
  ++loop.requested;
}

void TurnEnd::cancel() {
  if (!requested()) return;
  previous->next = next;
  next->previous = previous;
  previous = next = nullptr;
  --loop_->state_->requested;
}

}  // namespace mqtt::net
