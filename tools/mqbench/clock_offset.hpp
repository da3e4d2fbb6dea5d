#pragma once
#include <cstdint>
#include <optional>

#include <mqtt/util/time.hpp>

namespace mq::bench {

/// What to add to the clock here to have the one there, and by how much that can be wrong at most.
struct ClockOffset {
  mqtt::Duration offset{};
  mqtt::Duration error{};

  bool operator==(const ClockOffset&) const = default;
};

/// A question and its answer, each time by the clock of who noted it.
struct ClockSample {
  mqtt::TimePoint asked;     ///< here, before it left
  mqtt::TimePoint heard;     ///< there, after it came
  mqtt::TimePoint answered;  ///< there, before it left
  mqtt::TimePoint came;      ///< here, after it came
};

/// The offset of another machine's clock from questions and answers (RFC 5905, section 8, without its wall
/// clocks). However unequal the two ways are, it is wrong by no more than half of the time that both took
/// together; so the sample with the shortest time is the best, and its half the bound. A clock's drift
/// between samples is not known.
class ClockEstimate {
 public:
  /// Samples that cannot be (an answer before its question) are left out.
  void add(const ClockSample& sample);

  [[nodiscard]] const std::optional<ClockOffset>& best() const { return best_; }
  [[nodiscard]] std::uint32_t samples() const { return samples_; }

 private:
  std::optional<ClockOffset> best_;
  std::uint32_t samples_ = 0;
};

/// How wrong `first` can have been until `last` was taken, if the clocks drifted one way in between.
[[nodiscard]] mqtt::Duration error_until(const ClockOffset& first, const ClockOffset& last);

}  // namespace mq::bench
