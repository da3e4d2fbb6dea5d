#include "mqspy/time_text.hpp"

#include <fmt/format.h>

namespace mq::spy {

/// Since 1970, or since the line that it is counted from.
mqtt::Duration TimeText::shown_part(mqtt::TimePoint time) {
  const mqtt::TimePoint before = first_ ? previous_ : time;
  if (!first_) first_ = time;
  previous_ = time;
  if (style_ == TimeStyle::relative) return time - *first_;
  if (style_ == TimeStyle::delta) return time - before;
  return time.time_since_epoch();
}

void TimeText::turn_to(std::int64_t second) {
  if (second_ == second) return;
  second_ = second;
  if (style_ != TimeStyle::clock) {
    text_ = fmt::format("{:>{}}", second, style_ == TimeStyle::epoch ? 10 : 4);
    return;
  }
  const std::int64_t of_day = (second % 86'400 + 86'400) % 86'400;
  text_ = fmt::format("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60);
}

void TimeText::append(std::string& out, mqtt::TimePoint time) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(shown_part(time)).count();
  const bool negative = micros < 0 && style_ != TimeStyle::clock;  // a capture may go back in time
  const std::int64_t amount = negative ? -micros : micros;
  const std::int64_t second = amount >= 0 ? amount / 1'000'000 : (amount - 999'999) / 1'000'000;
  turn_to(second);
  if (negative) out.push_back('-');
  out += text_;
  char fraction[] = ".000000";
  std::int64_t left = amount - second * 1'000'000;
  for (char* digit = fraction + 6; left > 0; --digit, left /= 10) *digit = static_cast<char>('0' + left % 10);
  out.append(fraction, 7);
}

}  // namespace mq::spy
