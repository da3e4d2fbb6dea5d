#pragma once
#include <chrono>
#include <cstdint>

#include <mqtt/util/time.hpp>

namespace mqtt {

/// What a Message Expiry Interval is at `now` for a message that expires at `expires`: whole seconds,
/// rounded up, so that a message that is still good has at least one left; 0 from then on.
[[nodiscard]] inline std::uint32_t seconds_left(TimePoint expires, TimePoint now) {
  if (expires <= now) return 0;
  return static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::seconds>(expires - now).count());
}

}  // namespace mqtt
