#pragma once
#include <ctime>
#include <string>

#include "common/wall_time.hpp"

namespace mq {

/// A time of day in the local time zone. The calendar of the second is kept: a thousand messages of one
/// second cost one computation.
class LocalTime {
 public:
  void turn_to(WallTime time);

  /// Appends strftime(3) of `format`, which must fit into 255 characters.
  void append(std::string& out, const char* format) const;
  [[nodiscard]] std::int64_t seconds() const { return second_.time_since_epoch().count(); }
  [[nodiscard]] std::uint32_t nanoseconds() const { return nanoseconds_; }

 private:
  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
  std::uint32_t nanoseconds_ = 0;
  std::tm calendar_{};
};

}  // namespace mq
