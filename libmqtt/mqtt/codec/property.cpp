#include <mqtt/codec/property.hpp>

#include <algorithm>
#include <array>

#include <mqtt/codec/writer.hpp>

namespace mqtt {
namespace {

using enum PropertyType;

constexpr std::uint16_t at(auto... places) {
  return static_cast<std::uint16_t>(((1u << static_cast<unsigned>(places)) | ... | 0u));
}

using P = PropertyPlace;
constexpr std::uint16_t message = at(P::publish, P::will);
constexpr std::uint16_t negotiated = at(P::connect, P::connack);
constexpr std::uint16_t authentication = at(P::connect, P::connack, P::auth);
constexpr std::uint16_t answers = at(P::connack, P::puback, P::pubrec, P::pubrel, P::pubcomp, P::suback,
                                     P::unsuback, P::disconnect, P::auth);
constexpr std::uint16_t everywhere =
    static_cast<std::uint16_t>(answers | message | at(P::connect, P::subscribe, P::unsubscribe));

using I = PropertyId;
constexpr std::array<PropertyInfo, 27> table{{
    {I::payload_format_indicator, "Payload Format Indicator", "payload_format_indicator", byte, message,
     false, 0, 1},
    {I::message_expiry_interval, "Message Expiry Interval", "message_expiry_interval", four_byte_integer,
     message, false},
    {I::content_type, "Content Type", "content_type", utf8_string, message, false},
    {I::response_topic, "Response Topic", "response_topic", utf8_string, message, false},
    {I::correlation_data, "Correlation Data", "correlation_data", binary_data, message, false},
    {I::subscription_identifier, "Subscription Identifier", "subscription_identifier", variable_byte_integer,
     at(P::publish, P::subscribe), true, 1, remaining_length_max},
    {I::session_expiry_interval, "Session Expiry Interval", "session_expiry_interval", four_byte_integer,
     static_cast<std::uint16_t>(negotiated | at(P::disconnect)), false},
    {I::assigned_client_identifier, "Assigned Client Identifier", "assigned_client_identifier", utf8_string,
     at(P::connack), false},
    {I::server_keep_alive, "Server Keep Alive", "server_keep_alive", two_byte_integer, at(P::connack), false,
     0, 65'535},
    {I::authentication_method, "Authentication Method", "authentication_method", utf8_string, authentication,
     false},
    {I::authentication_data, "Authentication Data", "authentication_data", binary_data, authentication,
     false},
    {I::request_problem_information, "Request Problem Information", "request_problem_information", byte,
     at(P::connect), false, 0, 1},
    {I::will_delay_interval, "Will Delay Interval", "will_delay_interval", four_byte_integer, at(P::will),
     false},
    {I::request_response_information, "Request Response Information", "request_response_information", byte,
     at(P::connect), false, 0, 1},
    {I::response_information, "Response Information", "response_information", utf8_string, at(P::connack),
     false},
    {I::server_reference, "Server Reference", "server_reference", utf8_string, at(P::connack, P::disconnect),
     false},
    {I::reason_string, "Reason String", "reason_string", utf8_string, answers, false},
    {I::receive_maximum, "Receive Maximum", "receive_maximum", two_byte_integer, negotiated, false, 1,
     65'535},
    {I::topic_alias_maximum, "Topic Alias Maximum", "topic_alias_maximum", two_byte_integer, negotiated,
     false, 0, 65'535},
    {I::topic_alias, "Topic Alias", "topic_alias", two_byte_integer, at(P::publish), false, 1, 65'535},
    {I::maximum_qos, "Maximum QoS", "maximum_qos", byte, at(P::connack), false, 0, 1},
    {I::retain_available, "Retain Available", "retain_available", byte, at(P::connack), false, 0, 1},
    {I::user_property, "User Property", "user_property", utf8_string_pair, everywhere, true},
    {I::maximum_packet_size, "Maximum Packet Size", "maximum_packet_size", four_byte_integer, negotiated,
     false, 1},
    {I::wildcard_subscription_available, "Wildcard Subscription Available", "wildcard_subscription_available",
     byte, at(P::connack), false, 0, 1},
    {I::subscription_identifier_available, "Subscription Identifier Available",
     "subscription_identifier_available", byte, at(P::connack), false, 0, 1},
    {I::shared_subscription_available, "Shared Subscription Available", "shared_subscription_available", byte,
     at(P::connack), false, 0, 1},
}};

/// Index in `table` plus one, or 0.
constexpr auto index_by_id = [] {
  std::array<std::uint8_t, 43> index{};
  for (std::size_t i = 0; i < table.size(); ++i)
    index[static_cast<std::size_t>(table[i].id)] = static_cast<std::uint8_t>(i + 1);
  return index;
}();

std::uint32_t read_big_endian(Bytes& rest, std::size_t bytes) {
  std::uint32_t value = 0;
  for (const std::uint8_t next : rest.first(bytes)) value = value << 8 | next;
  rest = rest.subspan(bytes);
  return value;
}

std::uint32_t read_varint(Bytes& rest) {
  std::uint32_t value = 0;
  unsigned shift = 0;
  std::uint8_t next;
  do {
    next = rest[0];
    rest = rest.subspan(1);
    value |= (next & 0x7Fu) << shift;
    shift += 7;
  } while (next & 0x80);
  return value;
}

std::string_view read_field(Bytes& rest) {
  const std::uint32_t size = read_big_endian(rest, 2);
  const std::string_view field = as_text(rest.first(size));
  rest = rest.subspan(size);
  return field;
}

/// Reads one property from the front of bytes that were validated.
PropertyView read_property(Bytes& rest) {
  PropertyView property{.id = static_cast<PropertyId>(rest[0]), .key = {}, .text = {}};
  rest = rest.subspan(1);
  switch (property_info(property.id).type) {
    case byte: property.number = read_big_endian(rest, 1); break;
    case two_byte_integer: property.number = read_big_endian(rest, 2); break;
    case four_byte_integer: property.number = read_big_endian(rest, 4); break;
    case variable_byte_integer: property.number = read_varint(rest); break;
    case utf8_string:
    case binary_data: property.text = read_field(rest); break;
    case utf8_string_pair:
      property.key = read_field(rest);
      property.text = read_field(rest);
      break;
  }
  return property;
}

bool same_name(std::string_view a, std::string_view b) {
  const auto plain = [](char c) {
    return c == '-' || c == ' ' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  };
  return std::ranges::equal(a, b, {}, plain, plain);
}

void append_field(std::string& out, std::string_view text) {
  out.push_back(static_cast<char>(text.size() >> 8));
  out.push_back(static_cast<char>(text.size() & 0xFF));
  out.append(text);
}

void append_big_endian(std::string& out, std::uint32_t number, unsigned bytes) {
  for (unsigned shift = bytes * 8; shift > 0; shift -= 8)
    out.push_back(static_cast<char>(number >> (shift - 8) & 0xFF));
}

}  // namespace

std::span<const PropertyInfo> all_properties() { return table; }

const PropertyInfo* find_property(std::uint32_t id) {
  if (id >= index_by_id.size() || index_by_id[id] == 0) return nullptr;
  return &table[index_by_id[id] - 1u];
}

const PropertyInfo* find_property(std::string_view name) {
  const auto row =
      std::ranges::find_if(table, [&](const PropertyInfo& info) { return same_name(info.key, name); });
  return row == table.end() ? nullptr : &*row;
}

const PropertyInfo& property_info(PropertyId id) {
  return table[index_by_id[static_cast<std::size_t>(id)] - 1u];
}

void PropertiesView::Iterator::read() {
  at_end_ = rest_.empty();
  if (!at_end_) current_ = read_property(rest_);
}

std::optional<PropertyView> PropertiesView::find(PropertyId id) const {
  for (const PropertyView& property : *this)
    if (property.id == id) return property;
  return std::nullopt;
}

std::optional<std::uint32_t> PropertiesView::number(PropertyId id) const {
  const auto property = find(id);
  return property ? std::optional{property->number} : std::nullopt;
}

std::uint32_t PropertiesView::number_or(PropertyId id, std::uint32_t otherwise) const {
  return number(id).value_or(otherwise);
}

std::optional<std::string_view> PropertiesView::text(PropertyId id) const {
  const auto property = find(id);
  return property ? std::optional{property->text} : std::nullopt;
}

Properties& Properties::add(PropertyId id, std::uint32_t number) {
  encoded_.push_back(static_cast<char>(id));
  switch (property_info(id).type) {
    case byte: append_big_endian(encoded_, number, 1); break;
    case two_byte_integer: append_big_endian(encoded_, number, 2); break;
    case four_byte_integer: append_big_endian(encoded_, number, 4); break;
    default: append_varint(encoded_, number); break;
  }
  return *this;
}

bool Properties::add(PropertyId id, std::string_view text) {
  if (text.size() > field_size_max) return false;
  encoded_.push_back(static_cast<char>(id));
  append_field(encoded_, text);
  return true;
}

bool Properties::add_user_property(std::string_view key, std::string_view value) {
  if (key.size() > field_size_max || value.size() > field_size_max) return false;
  encoded_.push_back(static_cast<char>(PropertyId::user_property));
  append_field(encoded_, key);
  append_field(encoded_, value);
  return true;
}

bool Properties::add(const PropertyView& property) {
  switch (property_info(property.id).type) {
    case utf8_string_pair: return add_user_property(property.key, property.text);
    case utf8_string:
    case binary_data: return add(property.id, property.text);
    default: add(property.id, property.number); return true;
  }
}

void Properties::remove(PropertyId id) {
  Properties kept;
  for (const PropertyView& property : view())
    if (property.id != id) kept.add(property);
  *this = std::move(kept);
}

}  // namespace mqtt
