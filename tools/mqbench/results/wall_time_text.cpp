#include "mqbench/results/wall_time_text.hpp"

#include <algorithm>
#include <chrono>

#include <mqtt/util/text.hpp>

namespace mq::bench::results {
namespace {

/// Digits alone: parse_number() would take a sign.
std::optional<int> parse_digits(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
  return mqtt::parse_number<int>(text);
}

/// ".676123": up to nine digits.
std::optional<std::chrono::nanoseconds> parse_fraction(std::string_view text) {
  if (text.empty()) return std::chrono::nanoseconds{0};
  if (text.size() < 2 || text.size() > 10 || text[0] != '.') return std::nullopt;
  auto digits = parse_digits(text.substr(1));
  for (std::size_t n = text.size(); digits && n < 10; ++n) *digits *= 10;
  return digits ? std::optional{std::chrono::nanoseconds{*digits}} : std::nullopt;
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view shape = "0000-00-00T00:00:00";
  if (text.size() <= shape.size() || text.back() != 'Z') return std::nullopt;
  for (std::size_t n = 0; n < shape.size(); ++n)
    if (shape[n] != '0' && text[n] != shape[n]) return std::nullopt;
  const auto year_number = parse_digits(text.substr(0, 4)), month_number = parse_digits(text.substr(5, 2));
  const auto day_number = parse_digits(text.substr(8, 2)), hour = parse_digits(text.substr(11, 2));
  const auto minute = parse_digits(text.substr(14, 2)), second = parse_digits(text.substr(17, 2));
  const auto fraction = parse_fraction(text.substr(shape.size(), text.size() - shape.size() - 1));
  if (!year_number || !month_number || !day_number || !hour || !minute || !second || !fraction)
    return std::nullopt;
  const year_month_day date{year{*year_number}, month{static_cast<unsigned>(*month_number)},
                            day{static_cast<unsigned>(*day_number)}};
  if (!date.ok() || *year_number < 1970 || *year_number > 2199) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return WallTime{sys_days{date} + hours{*hour} + minutes{*minute} + seconds{*second}} + *fraction;
}

}  // namespace mq::bench::results
