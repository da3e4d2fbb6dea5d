#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>

#include <mqtt/util/time.hpp>

namespace mq {

/// When the messages of a recording are due. Every time is counted from the round's first message, so that
/// delays do not add up; a recording that is played again goes on from its last message.
class Schedule {
 public:
  /// `speed` 2 is twice as fast; 0 does not wait at all.
  explicit Schedule(double speed) : speed_{speed} {}

  /// Nothing for a message that is due at once.
  [[nodiscard]] mqtt::Deadline due(std::optional<std::int64_t> recorded_at_ns, mqtt::TimePoint now) {
    if (speed_ == 0 || !recorded_at_ns) return std::nullopt;
    if (!first_recorded_ns_) {
      first_recorded_ns_ = recorded_at_ns;
      first_due_ = last_due_.value_or(now);
    }
    const double passed = static_cast<double>(*recorded_at_ns - *first_recorded_ns_) / speed_;
    constexpr double longest = 1e9 * 86'400 * 365 * 100;
    const mqtt::Duration offset{static_cast<mqtt::Duration::rep>(std::clamp(passed, 0.0, longest))};
    last_due_ = first_due_ + offset;
    return last_due_;
  }
  void begin_round() { first_recorded_ns_.reset(); }

 private:
  double speed_;
  std::optional<std::int64_t> first_recorded_ns_;
  mqtt::TimePoint first_due_{};
  mqtt::Deadline last_due_;
};

}  // namespace mq
