#include "messages/format_string.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

#include "messages/json_pretty.hpp"
#include "messages/mosquitto_json.hpp"
#include "messages/value_filter.hpp"

namespace mq {
namespace {

using Field = FormatField;
using mqtt::PropertyId;
using mqtt::PropertyView;
using mqtt::PublishView;

/// Characters where the bytes are UTF-8, else bytes.
std::size_t width_of(std::string_view text) {
  if (!mqtt::is_mqtt_utf8(mqtt::as_bytes(text))) return text.size();
  const auto starts = [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0) != 0x80; };
  return static_cast<std::size_t>(std::ranges::count_if(text, starts));
}

/// At most so many characters from the front.
std::string_view shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  if (!mqtt::is_mqtt_utf8(mqtt::as_bytes(text))) return text.substr(0, most);
  std::size_t end = 0;
  for (; end < text.size(); ++end)
    if ((static_cast<std::uint8_t>(text[end]) & 0xC0) != 0x80 && most-- == 0) break;
  return text.substr(0, end);
}

std::optional<PropertyView> find_user_property(const PublishView& message, std::string_view key) {
  for (const PropertyView& property : message.properties)
    if (property.id == PropertyId::user_property && property.key == key) return property;
  return std::nullopt;
}

PropertyId property_of(Field field) {
  switch (field) {
    case Field::topic_alias: return PropertyId::topic_alias;
    case Field::content_type: return PropertyId::content_type;
    case Field::correlation_data: return PropertyId::correlation_data;
    case Field::message_expiry_interval: return PropertyId::message_expiry_interval;
    case Field::payload_format_indicator: return PropertyId::payload_format_indicator;
    case Field::response_topic: return PropertyId::response_topic;
    default: return PropertyId::subscription_identifier;
  }
}

std::optional<std::string_view> text_of(const FormatSegment& segment, const PublishView& message) {
  switch (segment.field) {
    case Field::topic: return message.topic;
    case Field::payload: return mqtt::as_text(message.payload);
    case Field::user_property: {
      const auto property = find_user_property(message, segment.text);
      return property ? std::optional{property->text} : std::nullopt;
    }
    default: return message.properties.text(property_of(segment.field));
  }
}

std::optional<std::uint64_t> number_of(Field field, const PublishView& message) {
  switch (field) {
    case Field::length: return message.payload.size();
    case Field::qos: return mqtt::to_number(message.qos);
    case Field::retain: return message.retain ? 1 : 0;
    case Field::dup: return message.dup ? 1 : 0;
    case Field::packet_id: return message.packet_id;
    default: break;
  }
  const auto number = message.properties.number(property_of(field));
  return number ? std::optional<std::uint64_t>{*number} : std::nullopt;
}

/// One message under a format.
class Rendering {
 public:
  Rendering(std::string& out, const PublishView& message, const Reception& received, PlainEscape escape,
            FormatTools& tools)
      : out_{out}, message_{message}, received_{received}, escape_{escape}, tools_{tools} {}

  /// Appends a segment's value with its filter and size.
  void append(const FormatSegment& segment) {
    const std::size_t start = out_.size();
    append_value(segment);
    fill(segment, start);
  }

 private:
  void append_value(const FormatSegment& segment);
  void append_whole(const FormatSegment& segment);
  void append_made(const FormatSegment& segment);
  void append_line();
  void append_object(JsonPayload mode);
  void append_text(const FormatSegment& segment);
  void append_number(const FormatSegment& segment);
  void append_latency(const FormatSegment& segment);
  void append_user_properties(const FormatSegment& segment);
  void append_subscription_ids(const FormatSegment& segment);
  void append_safe(std::string_view text, FormatFilter filter);
  void fill(const FormatSegment& segment, std::size_t start);

  template <class Float>
  void append_float(const FormatSegment& segment) {
    Float value;
    if (message_.payload.size() != sizeof value) return;
    std::memcpy(&value, message_.payload.data(), sizeof value);
    fmt::format_to(std::back_inserter(out_), "{:.{}f}", value, segment.precision.value_or(6));
  }

  std::string& out_;
  const PublishView& message_;
  const Reception& received_;
  PlainEscape escape_;
  FormatTools& tools_;
};

bool is_number(Field field) {
  switch (field) {
    case Field::length:
    case Field::qos:
    case Field::retain:
    case Field::dup:
    case Field::packet_id:
    case Field::topic_alias:
    case Field::message_expiry_interval:
    case Field::payload_format_indicator:
    case Field::subscription_id:
    case Field::payload_hex:
    case Field::payload_hex_upper:
    case Field::payload_float:
    case Field::payload_double:
    case Field::latency: return true;
    default: return false;
  }
}

void Rendering::append_value(const FormatSegment& segment) {
  switch (segment.field) {
    case Field::literal: out_ += segment.text; return;
    case Field::topic:
    case Field::payload:
    case Field::content_type:
    case Field::correlation_data:
    case Field::response_topic:
    case Field::user_property: return append_text(segment);
    case Field::length:
    case Field::qos:
    case Field::retain:
    case Field::dup:
    case Field::packet_id:
    case Field::topic_alias:
    case Field::message_expiry_interval:
    case Field::payload_format_indicator:
    case Field::subscription_id: return append_number(segment);
    case Field::latency: return append_latency(segment);
    case Field::user_properties: return append_user_properties(segment);
    case Field::subscription_ids: return append_subscription_ids(segment);
    default: return append_whole(segment);
  }
}

/// What is made here as one text, and filtered as one.
void Rendering::append_whole(const FormatSegment& segment) {
  const std::size_t start = out_.size();
  append_made(segment);
  if (segment.filter == FormatFilter::none) return;
  tools_.scratch.assign(out_, start);
  out_.resize(start);
  append_filtered(out_, tools_.scratch, segment.filter);
}

void Rendering::append_made(const FormatSegment& segment) {
  const LocalTime& local = tools_.local;
  const std::string_view payload = mqtt::as_text(message_.payload);
  const std::size_t group = segment.precision.value_or(0);
  const auto at_end = std::back_inserter(out_);
  switch (segment.field) {
    case Field::payload_hex: return append_hex(out_, payload, hex_lower, group, segment.separator);
    case Field::payload_hex_upper: return append_hex(out_, payload, hex_upper, group, segment.separator);
    case Field::payload_float: return append_float<float>(segment);
    case Field::payload_double: return append_float<double>(segment);
    case Field::iso_time: return local.append(out_, "%FT%T%z");
    case Field::date: return local.append(out_, segment.text.c_str());
    case Field::nanoseconds: fmt::format_to(at_end, "{:09}", local.nanoseconds()); return;
    case Field::unix_time: fmt::format_to(at_end, "{}.{:09}", local.seconds(), local.nanoseconds()); return;
    case Field::rfc3339: out_ += tools_.clock.rfc3339(received_.time); return;
    case Field::mosquitto_json: return append_object(JsonPayload::text);
    case Field::mosquitto_json_parsed: return append_object(JsonPayload::parse);
    default: return append_line();
  }
}

void Rendering::append_line() {
  tools_.lines.write(out_, message_, received_);
  out_.pop_back();  // its line feed
}

void Rendering::append_object(JsonPayload mode) {
  const std::size_t start = out_.size();
  append_mosquitto_json(out_, message_, tools_.local, mode);
  if (tools_.pretty) make_json_pretty(out_, start);
}

/// A value must not command the terminal; JSON, hex, base64 and URL text holds nothing that could.
void Rendering::append_safe(std::string_view text, FormatFilter filter) {
  const bool raw = filter == FormatFilter::none || filter == FormatFilter::sh || filter == FormatFilter::csv;
  if (escape_ == PlainEscape::for_terminal && raw)
    return append_filtered(out_, mqtt::escape_for_terminal(text), filter);
  append_filtered(out_, text, filter);
}

void Rendering::append_text(const FormatSegment& segment) {
  auto text = text_of(segment, message_);
  if (!text && segment.filter == FormatFilter::json) return JsonWriter{out_}.null();
  if (!text && segment.filter == FormatFilter::none) return;
  const std::string_view value = text.value_or(std::string_view{});
  append_safe(segment.precision ? shortened(value, *segment.precision) : value, segment.filter);
}

void Rendering::append_number(const FormatSegment& segment) {
  const auto number = number_of(segment.field, message_);
  if (!number) {
    if (segment.filter == FormatFilter::json) JsonWriter{out_}.null();
    return;
  }
  const fmt::format_int digits{*number};
  const std::string_view text{digits.data(), digits.size()};
  append_filtered(out_, text, segment.filter == FormatFilter::json ? FormatFilter::none : segment.filter);
}

void Rendering::append_latency(const FormatSegment& segment) {
  const bool json = segment.filter == FormatFilter::json;
  if (received_.latency)
    append_filtered(out_, seconds_text(*received_.latency), json ? FormatFilter::none : segment.filter);
  else if (json)
    JsonWriter{out_}.null();
}

void Rendering::append_user_properties(const FormatSegment& segment) {
  if (segment.filter == FormatFilter::json) {
    JsonWriter json{out_};
    json.begin_array();
    for (const PropertyView& property : message_.properties) {
      if (property.id != PropertyId::user_property) continue;
      json.begin_array();
      json.string(property.key);
      json.string(property.text);
      json.end_array();
    }
    return json.end_array();
  }
  std::string all;
  for (const PropertyView& property : message_.properties) {
    if (property.id != PropertyId::user_property) continue;
    if (!all.empty()) all += ' ';
    ((all += property.key) += ':') += property.text;
  }
  append_safe(all, segment.filter);
}

void Rendering::append_subscription_ids(const FormatSegment& segment) {
  const bool json = segment.filter == FormatFilter::json;
  const std::size_t start = out_.size() + (json ? 1 : 0);
  if (json) out_ += '[';
  for (const PropertyView& property : message_.properties) {
    if (property.id != PropertyId::subscription_identifier) continue;
    if (out_.size() > start) out_ += ',';
    fmt::format_to(std::back_inserter(out_), "{}", property.number);
  }
  if (json) out_ += ']';
}

/// Fills up what has been appended since `start`.
void Rendering::fill(const FormatSegment& segment, std::size_t start) {
  if (segment.width == 0) return;
  const std::string_view text{out_.data() + start, out_.size() - start};
  const std::size_t width = width_of(text);
  if (width >= segment.width) return;
  const std::size_t missing = segment.width - width;
  if (segment.left) {
    out_.append(missing, ' ');
  } else if (segment.zeros && is_number(segment.field)) {
    out_.insert(start + (text.starts_with('-') ? 1 : 0), missing, '0');
  } else {
    out_.insert(start, missing, ' ');
  }
}

}  // namespace

std::expected<FormatString, std::string> FormatString::compile(std::string_view format) {
  auto segments = parse_format(format);
  if (!segments) return std::unexpected(std::move(segments.error()));
  return FormatString{std::move(*segments)};
}

void FormatString::append(std::string& out, const mqtt::PublishView& message, const Reception& received,
                          PlainEscape escape) {
  tools_.local.turn_to(received.time);
  Rendering rendering{out, message, received, escape, tools_};
  for (const FormatSegment& segment : segments_) rendering.append(segment);
}

}  // namespace mq
