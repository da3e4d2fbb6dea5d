#include "common/message_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/json_text.hpp"

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PropertyInfo;
using mqtt::PropertyType;
using mqtt::PropertyView;

void append_value(JsonWriter& json, const PropertyView& property, const PropertyInfo& info) {
  switch (info.type) {
    case PropertyType::byte:
    case PropertyType::two_byte_integer:
    case PropertyType::four_byte_integer:
    case PropertyType::variable_byte_integer: return json.number(property.number);
    case PropertyType::utf8_string: return json.string(property.text);
    case PropertyType::binary_data: return json.text_or_base64(mqtt::as_bytes(property.text));
    case PropertyType::utf8_string_pair: break;
  }
  json.begin_array();
  json.string(property.key);
  json.string(property.text);
  json.end_array();
}

/// A property that may stand several times is one array, wherever its values stand in the packet.
void append_repeated(JsonWriter& json, mqtt::PropertiesView properties, PropertyId id, std::string_view key) {
  json.key(key);
  json.begin_array();
  for (const PropertyView& property : properties)
    if (property.id == id) append_value(json, property, mqtt::property_info(id));
  json.end_array();
}

bool is_json(mqtt::Bytes payload) {
  return mqtt::is_mqtt_utf8(payload) && is_json_text(mqtt::as_text(payload));
}

/// The payload's own bytes. Line breaks can only stand between tokens: in strings JSON forbids them.
void append_embedded(std::string& out, JsonWriter& json, mqtt::Bytes payload) {
  const std::size_t before = out.size();
  json.raw(mqtt::as_text(payload));
  const auto is_break = [](char c) { return c == '\n' || c == '\r'; };
  std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(), is_break, ' ');
}

void append_payload(std::string& out, JsonWriter& json, mqtt::Bytes payload, JsonPayload mode) {
  if (payload.empty()) {
    json.field("encoding", "none");
    json.key("payload");
    return json.null();
  }
  if (mode == JsonPayload::parse && is_json(payload)) {
    json.field("encoding", "json");
    json.key("payload");
    return append_embedded(out, json, payload);
  }
  const bool text = mqtt::is_mqtt_utf8(payload);
  json.field("encoding", text ? "utf8" : "base64");
  json.key("payload");
  text ? json.string(mqtt::as_text(payload)) : json.base64(payload);
}

void append_decoded(JsonWriter& json, const DecodedPayload& decoded) {
  json.field("encoding", decoded.encoding);
  json.key("payload");
  json.raw(decoded.json);
}

bool has_properties(mqtt::PropertiesView properties) {
  return std::ranges::any_of(properties,
                             [](const PropertyView& p) { return p.id != PropertyId::topic_alias; });
}

void append_text(std::string& out, std::string_view text, PlainEscape escape) {
  if (escape == PlainEscape::exact)
    out += text;
  else
    out += mqtt::escape_for_terminal(text);
}

}  // namespace

void append_properties(JsonWriter& json, mqtt::PropertiesView properties) {
  bool has_identifiers = false, has_user = false;
  json.begin_object();
  for (const PropertyView& property : properties) {
    if (property.id == PropertyId::subscription_identifier) {
      has_identifiers = true;
    } else if (property.id == PropertyId::user_property) {
      has_user = true;
    } else if (property.id != PropertyId::topic_alias) {
      const PropertyInfo& info = mqtt::property_info(property.id);
      json.key(info.key);
      append_value(json, property, info);
    }
  }
  if (has_identifiers)
    append_repeated(json, properties, PropertyId::subscription_identifier, "subscription_identifiers");
  if (has_user) append_repeated(json, properties, PropertyId::user_property, "user_properties");
  json.end_object();
}

void append_json_payload(std::string& out, JsonWriter& json, mqtt::Bytes payload, JsonPayload mode) {
  if (payload.empty()) return json.null();
  if (mode == JsonPayload::parse && is_json(payload)) return append_embedded(out, json, payload);
  json.text_or_base64(payload);
}

void MessageLineWriter::write(std::string& out, const mqtt::PublishView& message, const Reception& received,
                              const DecodedPayload* decoded) {
  JsonWriter json{out};
  json.begin_object();
  json.field("time", clock_.rfc3339(received.time));
  json.key("ts");
  json.raw(clock_.seconds(received.time));
  if (received.latency) {
    json.key("latency");
    json.raw(seconds_text(*received.latency));
  }
  json.field("topic", message.topic);
  json.field("qos", mqtt::to_number(message.qos));
  json.field("retain", message.retain);
  json.field("dup", message.dup);
  if (message.qos != mqtt::QoS::at_most_once) json.field("id", message.packet_id);
  json.field("len", message.payload.size());
  if (decoded && decoded->error.empty())
    append_decoded(json, *decoded);
  else
    append_payload(out, json, message.payload, mode_);
  if (decoded && !decoded->error.empty()) json.field("decode_error", decoded->error);
  if (has_properties(message.properties)) {
    json.key("properties");
    append_properties(json, message.properties);
  }
  json.end_object();
  out.push_back('\n');
}

std::string seconds_text(mqtt::Duration duration) {
  const auto microseconds = std::chrono::floor<std::chrono::microseconds>(duration).count();
  return fmt::format("{}.{:06}", microseconds / 1'000'000, microseconds % 1'000'000);
}

void append_plain(std::string& out, const mqtt::PublishView& message, const PlainFormat& format) {
  if (format.content == PlainContent::topic_and_payload) {
    out += format.topic_color;
    append_text(out, message.topic, format.escape);
    if (!format.topic_color.empty()) out += "\x1b[0m";
    out.push_back(' ');
  }
  append_text(out, mqtt::as_text(message.payload), format.escape);
  out += format.separator;
}

}  // namespace mq
