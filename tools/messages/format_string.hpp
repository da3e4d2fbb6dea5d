#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/packet.hpp>

#include "common/message_format.hpp"
#include "common/wall_time.hpp"
#include "messages/format_segment.hpp"
#include "messages/local_time.hpp"

namespace mq {

/// What a format needs besides the message, kept from one to the next.
struct FormatTools {
  LocalTime local;
  WallClockText clock;
  MessageLineWriter lines;
  std::string scratch;
  bool pretty = false;  ///< JSON over several lines
};

/// A message format, mosquitto_sub's -F with long names besides: compiled once, then appended message by
/// message without allocating.
///
///     %t %p %q ...     a value; flags, width and precision as of printf: %-20t, %05l, %.10t, %.2:x
///     %{NAME}          a value by its name in --json; %{user.KEY} is that of a user property
///     %{NAME:FILTER:SIZE}   filtered (json, sh, hex, base64, url, csv) and with such a size
///     @Y @m ...        a part of the date, as strftime(3) has it; @N nanoseconds
///     \n \t \e ...     what is hard to type
class FormatString {
 public:
  /// What is wrong is said as the end of a sentence.
  [[nodiscard]] static std::expected<FormatString, std::string> compile(std::string_view format);

  /// %j and %J over several lines.
  void set_pretty() { tools_.pretty = true; }

  /// Appends what the format makes of the message; no separator follows. `escape` is for values, not for
  /// what the format itself says.
  void append(std::string& out, const mqtt::PublishView& message, const Reception& received,
              PlainEscape escape = PlainEscape::exact);

 private:
  explicit FormatString(std::vector<FormatSegment> segments) : segments_{std::move(segments)} {}

  std::vector<FormatSegment> segments_;
  FormatTools tools_;
};

}  // namespace mq
