#include "common/wall_time.hpp"

#include <fmt/format.h>

namespace mq {
namespace {

using std::chrono::days;
using std::chrono::floor;

constexpr std::size_t fraction_digits = 6;

std::string rfc3339_of(std::chrono::sys_seconds second) {
  const std::chrono::year_month_day date{floor<days>(second)};
  const std::chrono::hh_mm_ss time{second - floor<days>(second)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000000Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

void put_fraction(char* last_digit, std::int64_t microseconds) {
  for (std::size_t i = 0; i < fraction_digits; ++i, microseconds /= 10)
    *(last_digit - i) = static_cast<char>('0' + microseconds % 10);
}

}  // namespace

WallClockText::WallClockText() { turn_to(WallTime{}); }

void WallClockText::turn_to(WallTime time) {
  const auto second = floor<std::chrono::seconds>(time);
  const std::int64_t fraction = floor<std::chrono::microseconds>(time - second).count();
  if (second != second_ || rfc3339_.empty()) {
    second_ = second;
    rfc3339_ = rfc3339_of(second);
    seconds_ = fmt::format("{}.000000", second.time_since_epoch().count());
  } else if (fraction == microseconds_) {
    return;
  }
  microseconds_ = fraction;
  put_fraction(rfc3339_.data() + rfc3339_.size() - 2, fraction);
  put_fraction(seconds_.data() + seconds_.size() - 1, fraction);
}

std::string_view WallClockText::rfc3339(WallTime time) {
  turn_to(time);
  return rfc3339_;
}

std::string_view WallClockText::seconds(WallTime time) {
  turn_to(time);
  return seconds_;
}

}  // namespace mq
