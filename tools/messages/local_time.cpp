#include "messages/local_time.hpp"

#include <array>

namespace mq {

void LocalTime::turn_to(WallTime time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  nanoseconds_ = static_cast<std::uint32_t>((time - second).count());
  if (second == second_) return;
  second_ = second;
  const std::time_t seconds = second.time_since_epoch().count();
  ::localtime_r(&seconds, &calendar_);
}

void LocalTime::append(std::string& out, const char* format) const {
  std::array<char, 256> text;
  out.append(text.data(), std::strftime(text.data(), text.size(), format, &calendar_));
}

}  // namespace mq
