#pragma once
#include <chrono>
#include <optional>

namespace mqtt {

/// Monotonic time. Everything but net/loop gets it as an argument.
using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// When something must be looked at again; nullopt is never.
using Deadline = std::optional<TimePoint>;

[[nodiscard]] inline Deadline earlier(Deadline a, Deadline b) {
  if (!a) return b;
  if (!b) return a;
  return *a < *b ? a : b;
}

}  // namespace mqtt
