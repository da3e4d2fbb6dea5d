#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mq {

/// What a segment of a format writes.
enum class FormatField : std::uint8_t {
  literal,  ///< `text`
  topic,
  payload,
  payload_hex,
  payload_hex_upper,
  payload_float,   ///< four bytes as an IEEE 754 number of this machine's order
  payload_double,  ///< eight
  length,
  qos,
  retain,
  dup,
  packet_id,
  topic_alias,
  content_type,
  correlation_data,
  message_expiry_interval,
  payload_format_indicator,
  response_topic,
  subscription_id,        ///< the first
  subscription_ids,       ///< all, separated by commas
  user_properties,        ///< "key:value", separated by blanks
  user_property,          ///< the value of the first one whose key is `text`
  iso_time,               ///< "2016-08-10T09:47:38+0100", local
  unix_time,              ///< "1470818943.786368637"
  rfc3339,                ///< "2026-11-21T07:20:07.676123Z"
  latency,                ///< of a reply: "0.001234"
  date,                   ///< strftime(3) of `text`, local
  nanoseconds,            ///< of the second
  mosquitto_json,         ///< %j
  mosquitto_json_parsed,  ///< %J
  json,                   ///< what --json writes
};

/// What is done to a value before it is written.
enum class FormatFilter : std::uint8_t { none, json, sh, hex, base64, url, csv };

struct FormatSegment {
  FormatField field = FormatField::literal;
  FormatFilter filter = FormatFilter::none;
  std::string text{};
  std::uint32_t width = 0;                   ///< characters at least
  std::optional<std::uint32_t> precision{};  ///< characters at most; of hex, digits between separators
  bool left = false;                         ///< blanks behind and not before
  bool zeros = false;                        ///< numbers are filled up with zeros
  char separator = ' ';                      ///< between hex digits
};

/// Cuts a format into what it writes; a sentence's end if something is wrong with it.
[[nodiscard]] std::expected<std::vector<FormatSegment>, std::string> parse_format(std::string_view format);

}  // namespace mq
