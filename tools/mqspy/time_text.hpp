#pragma once
#include <optional>
#include <string>

#include <mqtt/util/time.hpp>

#include "mqspy/view.hpp"

namespace mq::spy {

/// Writes the first column of lines. The text of a second is kept for the lines that follow in it.
class TimeText {
 public:
  explicit TimeText(TimeStyle style) : style_{style} {}

  void append(std::string& out, mqtt::TimePoint time);

 private:
  [[nodiscard]] mqtt::Duration shown_part(mqtt::TimePoint time);
  void turn_to(std::int64_t second);

  TimeStyle style_;
  std::optional<mqtt::TimePoint> first_;
  mqtt::TimePoint previous_{};
  std::optional<std::int64_t> second_;
  std::string text_;  // of second_
};

}  // namespace mq::spy
