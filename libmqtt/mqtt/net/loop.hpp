#pragma once
#include <cstdint>
#include <functional>
#include <memory>

#include <mqtt/net/coalescing.hpp>
#include <mqtt/net/small_call.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/chunk.hpp>
#include <mqtt/util/error.hpp>
#include <mqtt/util/time.hpp>
#include <mqtt/util/timers.hpp>

struct uv_loop_s;

namespace mqtt::net {

class Timer;
class TimerQueue;
class TurnEnd;

/// One event loop, for one thread. A turn is: wait, then every callback that is due, then the
/// TurnEnd hooks. Everything made with a loop must be destroyed before it.
///
/// Construction ignores SIGPIPE for the process: a write to a closed peer is a result, not a death.
class Loop {
 public:
  /// One read takes at most this much; the buffer is shared by all streams of the loop.
  static constexpr std::size_t read_buffer_bytes = 64 * 1024;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// The time of the current turn: the clock is read once per turn, at the first call.
  [[nodiscard]] TimePoint now();
  /// Reads the clock again, for who has worked long inside one turn.
  TimePoint refresh_now();

  /// Returns after stop(), or when nothing is left to wait for.
  void run();
  /// Ends run() after the current turn.
  void stop();

  /// Under a stream of small messages, rests for `rest` before each wait, so that one turn takes what
  /// would have been many: a turn costs about 10 us of system calls whatever it brings. Only turns that
  /// read little and follow one another at once are slowed down (net/coalescing.hpp); a lone message
  /// never waits. It delays an answer by `rest` at most, so with a small window of unacknowledged
  /// messages it costs throughput. Zero, as in the beginning, is never: for whoever measures latency.
  void set_coalescing(Duration rest);

  [[nodiscard]] ChunkPool& chunks() { return chunks_; }

  /// For the net layer itself: what an on_data() view points into.
  [[nodiscard]] MutableBytes read_buffer() { return {read_buffer_.get(), read_buffer_bytes}; }
  /// For the net layer itself: `socket` has given so many `bytes`, 0 if it had none.
  void note_read(const void* socket, std::size_t bytes) {
    coalescing_.note_read(bytes);
    full_reads_ = bytes < read_buffer_bytes ? 0 : socket == last_read_ ? full_reads_ + 1 : 1;
    last_read_ = socket;
    if (full_reads_ < reads_per_turn) return;
    ++unread_turns_;
    full_reads_ = 0;
  }
  /// How often a turn has left bytes in a socket that it could have read: it takes 2 MiB of each, so that
  /// the others have their turn.
  [[nodiscard]] std::uint64_t unread_turns() const { return unread_turns_; }
  [[nodiscard]] uv_loop_s* handle();

 private:
  friend class Timer;
  friend class TurnEnd;
  struct State;

  void end_turn();
  void rest_after(TimePoint began);
  void run_requested();
  [[nodiscard]] TimerQueue& timers();

  static constexpr unsigned reads_per_turn = 32;  // libuv's, of one socket

  ChunkPool chunks_;
  Coalescing coalescing_;
  const void* last_read_ = nullptr;  // a socket, or what was one
  unsigned full_reads_ = 0;          // of it, in a row
  std::uint64_t unread_turns_ = 0;
  std::unique_ptr<std::uint8_t[]> read_buffer_;
  std::unique_ptr<State> state_;
};

/// One shot at an absolute time; never early, late by about a millisecond. Small, for each of thousands of
/// connections has one. The callback may destroy the timer.
class Timer {
 public:
  Timer(Loop& loop, SmallCall on_time) : loop_{&loop}, on_time_{on_time} {}
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Replaces an earlier setting. A time that has passed comes in the next turn.
  void set(TimePoint when);
  /// nullopt cancels.
  void set(Deadline when) { when ? set(*when) : cancel(); }
  void cancel();
  [[nodiscard]] Loop& loop() const { return *loop_; }

 private:
  friend class TimerQueue;

  Loop* loop_;
  SmallCall on_time_;
  TimePoint when_{};  // what the owner wants, if it stands in the loop's queue
  TimerPlace place_;  // there: never later than that
};

/// A place in a loop's ring of requested hooks; null: in none.
struct TurnEndLink {
  TurnEndLink* previous = nullptr;
  TurnEndLink* next = nullptr;
};

/// A callback that runs once at the end of the turn in which it was requested, before the loop waits:
/// the place to flush what a whole turn has gathered. Hooks run in order of request. The callback may
/// request again (it runs once more before the loop waits) and may destroy the hook.
class TurnEnd : private TurnEndLink {
 public:
  TurnEnd(Loop& loop, SmallCall callback) : loop_{&loop}, callback_{callback} {}
  ~TurnEnd() { cancel(); }
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;

  /// Costs a few instructions; more than one request in a turn is one call.
  void request();
  void cancel();

 private:
  friend class Loop;

  [[nodiscard]] bool requested() const { return next != nullptr; }

  Loop* loop_;
  SmallCall callback_;
};

/// Calls back in the loop for a signal of the process (SIGINT, SIGTERM, SIGUSR1...). Does not keep
/// run() going. The signal's former disposition returns with the last watcher's end.
class SignalWatcher {
 public:
  SignalWatcher(Loop& loop, int signal_number, std::function<void()> on_signal);
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  struct State;
  State* state_;
};

/// What to wait for on a descriptor, and what has happened on it.
struct FdEvents {
  bool readable = false;
  bool writable = false;
  /// The other end is gone: end of file, or nobody reads a pipe any more. As an interest it finds
  /// that without reading or writing.
  bool hung_up = false;
};

/// Readiness of a pipe, terminal or socket that stays the caller's. Keeps run() going while it
/// watches something. It leaves the descriptor's O_NONBLOCK as it was: that flag belongs to every
/// process that shares the terminal. The callback may destroy the watcher.
class FdWatcher {
 public:
  using Callback = std::function<void(FdEvents)>;

  /// Error{system, EPERM} for a regular file, which is always ready.
  [[nodiscard]] static Result<std::unique_ptr<FdWatcher>> open(Loop& loop, int fd, Callback on_event);
  ~FdWatcher();
  FdWatcher(const FdWatcher&) = delete;
  FdWatcher& operator=(const FdWatcher&) = delete;

  /// Level-triggered: a callback per turn as long as the condition holds. Nothing set stops it.
  void watch(FdEvents interest);

 private:
  struct State;
  explicit FdWatcher(State* state) : state_{state} {}
  State* state_;
};

}  // namespace mqtt::net
