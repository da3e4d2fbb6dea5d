#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/time.hpp>

#include "common/json_writer.hpp"
#include "common/wall_time.hpp"

namespace mq {

/// How a payload stands in a JSON line.
enum class JsonPayload : std::uint8_t {
  text,   ///< a string if it is UTF-8 without U+0000, else base64
  parse,  ///< one JSON text is embedded as its own bytes, else as above
};

/// A payload that a decoder has read (or not): what stands for it in a JSON line.
struct DecodedPayload {
  std::string_view encoding;  ///< the decoder's name
  std::string_view json;      ///< one value on one line
  std::string_view error{};   ///< why the decoder could not read it: then the payload stands as without one
};

/// When a packet was read and, of a reply, how long after its request was sent.
struct Reception {
  WallTime time;
  std::optional<mqtt::Duration> latency;

  Reception(WallTime t, std::optional<mqtt::Duration> l = std::nullopt) : time{t}, latency{l} {}  // NOLINT
};

/// Writes messages as JSON lines (mq-message.schema.json). Every line is valid UTF-8 and one line:
/// line breaks between the tokens of an embedded JSON payload become spaces, nothing else changes.
class MessageLineWriter {
 public:
  explicit MessageLineWriter(JsonPayload mode = JsonPayload::text) : mode_{mode} {}

  /// Appends one line with its '\n'. The topic must be whole (no alias); a Topic Alias property means
  /// nothing outside its connection and is left out.
  void write(std::string& out, const mqtt::PublishView& message, const Reception& received,
             const DecodedPayload* decoded = nullptr);

 private:
  JsonPayload mode_;
  WallClockText clock_;
};

/// Appends {"content_type":...}: snake_case keys, user properties as ordered pairs, subscription
/// identifiers as an array. Nothing but {} if there are none.
void append_properties(JsonWriter& json, mqtt::PropertiesView properties);

/// Appends a payload as one JSON value: null if it is empty, its own bytes if it is to be parsed and is
/// JSON, else a string, or {"base64":...} if it is no text.
void append_json_payload(std::string& out, JsonWriter& json, mqtt::Bytes payload, JsonPayload mode);

/// Seconds with microseconds: "0.001234".
[[nodiscard]] std::string seconds_text(mqtt::Duration duration);

enum class PlainContent : std::uint8_t { payload, topic_and_payload };
enum class PlainEscape : std::uint8_t {
  exact,         ///< bytes as they came
  for_terminal,  ///< control characters escaped, so that a payload cannot command the terminal
};

struct PlainFormat {
  PlainContent content = PlainContent::payload;
  PlainEscape escape = PlainEscape::exact;
  std::string_view topic_color = "";  ///< an SGR sequence before the topic, which is reset behind it
  std::string separator = "\n";       ///< after each message; empty: none
};

/// Appends the payload, or "topic payload", and the separator.
void append_plain(std::string& out, const mqtt::PublishView& message, const PlainFormat& format);

}  // namespace mq
