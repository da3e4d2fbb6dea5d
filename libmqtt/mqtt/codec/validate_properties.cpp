#include <mqtt/codec/decode_parts.hpp>
#include <mqtt/codec/topic.hpp>

namespace mqtt {
namespace {

using enum PropertyType;

/// The section that defines a property's values and that it stands only once, for the error.
Clause value_clause(PropertyId id) {
  switch (id) {
    case PropertyId::payload_format_indicator: return {"v5#3.3.2.3.2/pfi-value"};
    case PropertyId::message_expiry_interval: return {"v5#3.3.2.3.3/expiry-dup"};
    case PropertyId::content_type: return {"v5#3.3.2.3.9/dup"};
    case PropertyId::response_topic: return {"v5#3.3.2.3.5/dup"};
    case PropertyId::correlation_data: return {"v5#3.3.2.3.6/dup"};
    case PropertyId::subscription_identifier: return {"v5#3.8.2.1.2/subid"};
    case PropertyId::session_expiry_interval: return {"v5#3.1.2.11.2/sei-dup"};
    case PropertyId::assigned_client_identifier: return {"v5#3.2.2.3.7/assigned-dup"};
    case PropertyId::server_keep_alive: return {"v5#3.2.2.3.14/ska-dup"};
    case PropertyId::authentication_method: return {"v5#3.1.2.11.9/auth-method-dup"};
    case PropertyId::authentication_data: return {"v5#3.1.2.11.10/auth-data"};
    case PropertyId::request_problem_information: return {"v5#3.1.2.11.7/rpi"};
    case PropertyId::will_delay_interval: return {"v5#3.1.3.2.2/will-prop-dup"};
    case PropertyId::request_response_information: return {"v5#3.1.2.11.6/rri"};
    case PropertyId::response_information: return {"v5#3.2.2.3.15/resp-info-dup"};
    case PropertyId::server_reference: return {"v5#3.2.2.3.16/server-ref"};
    case PropertyId::reason_string: return {"v5#3.2.2.3.9/reason-dup"};
    case PropertyId::receive_maximum: return {"v5#3.1.2.11.3/rm"};
    case PropertyId::topic_alias_maximum: return {"v5#3.1.2.11.5/tam-dup"};
    case PropertyId::topic_alias: return {"v5#3.3.2.3.4/alias-dup"};
    case PropertyId::maximum_qos: return {"v5#3.2.2.3.4/max-qos"};
    case PropertyId::retain_available: return {"v5#3.2.2.3.5/retain-avail"};
    case PropertyId::user_property: return {"MQTT-1.5.7-1"};
    case PropertyId::maximum_packet_size: return {"v5#3.1.2.11.4/mps"};
    case PropertyId::wildcard_subscription_available: return {"v5#3.2.2.3.11/feature-bits"};
    case PropertyId::subscription_identifier_available: return {"v5#3.2.2.3.12/feature-bits"};
    case PropertyId::shared_subscription_available: return {"v5#3.2.2.3.13/feature-bits"};
  }
  return {"v5#2.2.2.2/prop-unknown"};
}

void check_number(Reader& in, const PropertyInfo& info, std::uint32_t value, std::uint32_t at) {
  if (value >= info.min && value <= info.max) return;
  if (info.id == PropertyId::topic_alias)
    return in.fail({"MQTT-3.3.2-8"}, "Topic Alias is 0", ReasonCode::topic_alias_invalid, at);
  in.fail(value_clause(info.id), "property has a value outside its range", ReasonCode::protocol_error, at);
}

void check_response_topic(Reader& in, std::string_view topic, std::uint32_t at) {
  const auto fault = find_topic_name_error(topic);
  if (fault)
    in.fail(clauses::response_topic_wildcard, "Response Topic is not a topic name",
            ReasonCode::protocol_error, at);
}

/// A value, and only the number or the text in it.
struct Value {
  std::uint32_t number = 0;
  std::string_view text{};
};

Value read_value(Reader& in, PropertyType type) {
  switch (type) {
    case byte: return {.number = in.byte()};
    case two_byte_integer: return {.number = in.two_byte_integer()};
    case four_byte_integer: return {.number = in.four_byte_integer()};
    case variable_byte_integer: return {.number = in.variable_byte_integer()};
    case binary_data: in.binary_data(); return {};
    case utf8_string_pair: in.utf8_string(); return {.text = in.utf8_string()};
    case utf8_string: break;
  }
  return {.text = in.utf8_string()};
}

void check_value(Reader& in, const PropertyInfo& info, Value value, std::uint32_t at) {
  const bool is_number = info.type == byte || info.type == two_byte_integer ||
                         info.type == four_byte_integer || info.type == variable_byte_integer;
  if (is_number) check_number(in, info, value.number, at);
  if (info.id == PropertyId::response_topic) check_response_topic(in, value.text, at);
}

/// Subscription Identifier is the one property whose repetition depends on where it stands.
bool may_repeat(const PropertyInfo& info, PropertyPlace place) {
  return info.repeats &&
         !(info.id == PropertyId::subscription_identifier && place == PropertyPlace::subscribe);
}

/// Two properties belong to one side of a packet that both may send.
void check_side(Reader& in, const PropertyInfo& info, PropertyPlace place, Sender sender, std::uint32_t at) {
  if (place == PropertyPlace::publish && info.id == PropertyId::subscription_identifier &&
      sender == Sender::client)
    in.fail(clauses::subscription_id_from_client, "client sent a Subscription Identifier in PUBLISH",
            ReasonCode::protocol_error, at);
  if (place != PropertyPlace::disconnect) return;
  if (info.id == PropertyId::session_expiry_interval && sender == Sender::server)
    in.fail(clauses::server_disconnect_expiry, "server sent a Session Expiry Interval in DISCONNECT",
            ReasonCode::protocol_error, at);
  if (info.id == PropertyId::server_reference && sender == Sender::client)
    in.fail({"v5#3.14.2.2.5/ref-dup"}, "client sent a Server Reference", ReasonCode::protocol_error, at);
}

/// One property of which `id_at` is the first byte. Where it does not belong its value is not judged.
void read_property(Reader& in, const PropertyInfo& info, PropertyPlace place, Sender sender,
                   std::uint64_t& seen, std::uint32_t id_at) {
  const bool belongs = info.allowed_at(place);
  in.require(belongs, clauses::property_place, "property does not belong in this packet",
             ReasonCode::malformed_packet, id_at);
  const std::uint64_t mark = std::uint64_t{1} << static_cast<unsigned>(info.id);
  in.require(!belongs || (seen & mark) == 0 || may_repeat(info, place), value_clause(info.id),
             "property stands more than once", ReasonCode::protocol_error, id_at);
  seen |= mark;
  check_side(in, info, place, sender, id_at);
  const std::uint32_t at = in.offset();
  const std::size_t faults = in.faults();
  const Value value = read_value(in, info.type);
  if (belongs && in.faults() == faults && in.ok()) check_value(in, info, value, at);
}

/// The property that begins here; null if that cannot be told.
const PropertyInfo* read_id(Reader& in, std::uint32_t at) {
  const std::size_t faults = in.faults();
  const std::uint32_t id = in.variable_byte_integer();
  const PropertyInfo* info = find_property(id);
  if (in.faults() != faults) {
    in.doubt();  // a view of properties takes identifiers of one byte
    info = nullptr;
  }
  if (!info)
    in.lose(clauses::property_unknown, "property identifier is not defined", ReasonCode::malformed_packet,
            at);
  return info;
}

}  // namespace

PropertiesView detail::read_properties(Reader& in, PropertyPlace place, Sender sender) {
  const Bytes all = in.bytes_left();
  std::size_t whole = 0;
  std::uint64_t seen = 0;
  while (in.left() > 0) {
    const std::uint32_t at = in.offset();
    const PropertyInfo* info = read_id(in, at);
    if (!info) break;
    read_property(in, *info, place, sender, seen, at);
    if (in.ok()) whole = all.size() - in.left();
  }
  return PropertiesView{all.first(whole)};
}

std::expected<PropertiesView, DecodeError> validate_properties(Bytes encoded, PropertyPlace place,
                                                               Sender sender) {
  Reader in{encoded, Version::v5};
  return in.done(detail::read_properties(in, place, sender));
}

}  // namespace mqtt
