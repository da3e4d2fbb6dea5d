#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>

#include <mqtt/util/time.hpp>

namespace mqtt::server {

/// Keeps a flood of events out of a log: some are told one by one, then one per second.
class Throttle {
 public:
  static constexpr int burst = 10;
  static constexpr Duration refill = std::chrono::seconds{1};

  /// An event has happened: how many are to be told of now, this one and those kept back; 0 for none.
  [[nodiscard]] std::uint64_t note(TimePoint now) {
    ++kept_back_;
    // Each event told of uses up one refill; `burst` of them may be saved.
    earliest_ = std::max(earliest_, now - refill * (burst - 1));
    if (earliest_ > now) return 0;
    earliest_ += refill;
    return std::exchange(kept_back_, 0);
  }

 private:
  TimePoint earliest_{};
  std::uint64_t kept_back_ = 0;
};

}  // namespace mqtt::server
