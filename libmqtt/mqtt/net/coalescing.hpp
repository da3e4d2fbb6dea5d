#pragma once
#include <algorithm>
#include <cstddef>

#include <mqtt/util/time.hpp>

namespace mqtt::net {

/// Decides when the loop rests before it waits, so that the next turn takes several small messages.
/// A server that forwards messages one by one wakes us for each: then most of the processor time goes
/// into waking up, not into messages. Knows no clock: the loop tells the times.
class Coalescing {
 public:
  /// A wait longer than this means that messages are rare.
  static constexpr Duration rare_wait = std::chrono::microseconds{200};
  /// So many turns in a row have to come at once before the first rest: a short exchange never meets it.
  static constexpr unsigned busy_turns_min = 16;
  /// Who reads more in one turn is not woken too often; to rest would only fill the socket's buffer.
  static constexpr std::size_t small_turn_bytes = 16 * 1024;
  /// A turn of the loop must stay short for everybody else on it.
  static constexpr Duration rest_max = std::chrono::milliseconds{1};

  /// Zero turns it off; more than `rest_max` is `rest_max`.
  void set_rest(Duration rest) { rest_ = std::clamp(rest, Duration::zero(), rest_max); }
  [[nodiscard]] bool enabled() const { return rest_ > Duration::zero(); }

  void note_read(std::size_t bytes) { turn_bytes_ += bytes; }

  /// At the end of a turn that began at `began`: how long to rest before the next wait.
  [[nodiscard]] Duration after_turn(TimePoint began) {
    const bool small = turn_bytes_ > 0 && turn_bytes_ < small_turn_bytes;
    turn_bytes_ = 0;
    const bool busy = small && began - waited_from_ <= rare_wait;
    busy_turns_ = busy ? std::min(busy_turns_ + 1, busy_turns_min) : 0;
    return busy_turns_ == busy_turns_min ? rest_ : Duration::zero();
  }

  /// The wait for the next turn begins, after the rest.
  void waits_from(TimePoint when) { waited_from_ = when; }

 private:
  Duration rest_{};
  TimePoint waited_from_{};
  std::size_t turn_bytes_ = 0;
  unsigned busy_turns_ = 0;
};

}  // namespace mqtt::net
