#include "messages/mosquitto_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include <mqtt/util/utf8.hpp>

#include "common/json_text.hpp"

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PropertyView;

/// "Message Expiry Interval" as "message-expiry-interval"
void append_key(JsonWriter& json, std::string_view snake_case) {
  std::string name{snake_case};
  std::ranges::replace(name, '_', '-');
  json.key(name);
}

void append_value(JsonWriter& json, const PropertyView& property, const mqtt::PropertyInfo& info) {
  switch (info.type) {
    case mqtt::PropertyType::utf8_string:
    case mqtt::PropertyType::binary_data: return json.text_or_base64(mqtt::as_bytes(property.text));
    default: return json.number(property.number);
  }
}

/// A key that comes twice is there twice.
void append_user_properties(JsonWriter& json, std::string& out, mqtt::PropertiesView properties) {
  json.key("user-properties");
  json.begin_object();
  bool first = true;
  for (const PropertyView& property : properties) {
    if (property.id != PropertyId::user_property) continue;
    // A key that may need escaping: as a string, and by hand.
    if (!std::exchange(first, false)) out += ',';
    JsonWriter{out}.string(property.key);
    out += ':';
    JsonWriter{out}.string(property.text);
  }
  json.end_object();
}

void append_mosquitto_properties(JsonWriter& json, std::string& out, mqtt::PropertiesView properties) {
  bool has_user = false;
  json.key("properties");
  json.begin_object();
  for (const PropertyView& property : properties) {
    if (property.id == PropertyId::user_property) {
      has_user = true;
      continue;
    }
    const mqtt::PropertyInfo& info = mqtt::property_info(property.id);
    append_key(json, info.key);
    append_value(json, property, info);
  }
  if (has_user) append_user_properties(json, out, properties);
  json.end_object();
}

void append_time(JsonWriter& json, std::string& out, const LocalTime& received) {
  json.key("tst");
  json.raw("\"");
  received.append(out, "%FT%T");
  fmt::format_to(std::back_inserter(out), ".{:06}", received.nanoseconds() / 1000);
  received.append(out, "%z");
  out += '"';
}

}  // namespace

void append_mosquitto_json(std::string& out, const mqtt::PublishView& message, const LocalTime& received,
                           JsonPayload mode) {
  JsonWriter json{out};
  json.begin_object();
  append_time(json, out, received);
  json.field("topic", message.topic);
  json.field("qos", mqtt::to_number(message.qos));
  json.field("retain", message.retain ? 1U : 0U);
  json.field("payloadlen", message.payload.size());
  if (message.qos != mqtt::QoS::at_most_once) json.field("mid", message.packet_id);
  if (!message.properties.empty()) append_mosquitto_properties(json, out, message.properties);
  json.key("payload");
  append_json_payload(out, json, message.payload, mode);
  json.end_object();
}

}  // namespace mq
