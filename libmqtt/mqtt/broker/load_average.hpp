#pragma once
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>

#include <mqtt/util/time.hpp>

namespace mqtt::broker {

/// Events per minute of something that is counted, averaged over the last 1, 5 and 15 minutes as the load of
/// a system is: older ones weigh less and less.
class LoadAverage {
 public:
  static constexpr std::array<int, 3> minutes{1, 5, 15};

  /// `total` so far, `passed` (not 0) since the last call.
  void note(std::uint64_t total, Duration passed) {
    const double passed_minutes = std::chrono::duration<double, std::ratio<60>>(passed).count();
    const double rate = static_cast<double>(total - total_) / passed_minutes;
    for (std::size_t i = 0; i < minutes.size(); ++i) {
      const double kept = std::exp(-passed_minutes / minutes[i]);
      averages_[i] = rate + kept * (averages_[i] - rate);
    }
    total_ = total;
  }
  /// In the order of `minutes`.
  [[nodiscard]] const std::array<double, 3>& averages() const { return averages_; }

 private:
  std::uint64_t total_ = 0;
  std::array<double, 3> averages_{};
};

}  // namespace mqtt::broker
