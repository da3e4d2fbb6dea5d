#pragma once
#include <algorithm>

#include <mqtt/util/time.hpp>

namespace mq {

/// A steady rate of messages. The times are absolute, so that neither the timer's lateness nor the work
/// of sending adds up; but after a stall no more than a tenth of a second is made up for.
class Pace {
 public:
  /// `interval` zero: as fast as it goes.
  explicit Pace(mqtt::Duration interval) : interval_{interval} {}

  [[nodiscard]] bool unlimited() const { return interval_ == mqtt::Duration::zero(); }
  /// When the next message may leave; nothing if at once.
  [[nodiscard]] mqtt::Deadline wait_until(mqtt::TimePoint now) const {
    if (unlimited() || !next_ || *next_ <= now) return std::nullopt;
    return next_;
  }
  void sent(mqtt::TimePoint now) {
    if (unlimited()) return;
    next_ = std::max(next_.value_or(now), now - burst_) + interval_;
  }

 private:
  static constexpr mqtt::Duration burst_ = std::chrono::milliseconds{100};

  mqtt::Duration interval_;
  mqtt::Deadline next_;
};

}  // namespace mq
