#include "common/speed.hpp"

#include <fmt/format.h>

#include <charconv>

namespace mq {

std::expected<double, ValueFault> parse_speed(std::string_view text) {
  if (text == "max") return 0;
  double speed = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), speed, std::chars_format::fixed);
  const bool number = fault == std::errc{} && end == text.data() + text.size();
  if (number && speed >= 1e-6 && speed <= 1e6) return speed;
  return std::unexpected(fmt::format("'{}' is not a speed such as 2, 0.5 or max", text));
}

}  // namespace mq
