#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace mq {

/// The time of day, for people and records; never for measuring.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Writes times with microseconds. The text of the second is kept: a thousand messages of one second
/// cost one calendar computation. The views live until the next call.
class WallClockText {
 public:
  WallClockText();

  /// RFC 3339 UTC: "2026-11-21T07:20:07.676123Z"
  [[nodiscard]] std::string_view rfc3339(WallTime time);
  /// Seconds since 1970: "1795245607.676123"
  [[nodiscard]] std::string_view seconds(WallTime time);

 private:
  void turn_to(WallTime time);

  std::chrono::sys_seconds second_;
  std::int64_t microseconds_ = -1;
  std::string rfc3339_;
  std::string seconds_;
};

}  // namespace mq
