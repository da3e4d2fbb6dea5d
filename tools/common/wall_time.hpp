#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace mq {

/// The time of day, for people and records; never for measuring.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Writes RFC 3339 UTC with microseconds. The text of the second is kept: a thousand messages of one
/// second cost one calendar computation.
class WallClockText {
 public:
  /// "2026-11-21T07:20:07.676123Z"
  void append_rfc3339(std::string& out, WallTime time);
  /// "1795245607.676123": seconds since 1970
  void append_seconds(std::string& out, WallTime time);

 private:
  void turn_to(std::int64_t second);

  std::int64_t second_ = -1;
  std::string rfc3339_;  // up to the seconds
  std::string seconds_;
};

}  // namespace mq
