#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/reader.hpp>
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
  if (!in.ok()) return;
  const auto fault = find_topic_name_error(topic);
  if (fault)
    in.fail(clauses::response_topic_wildcard, "Response Topic is not a topic name",
            ReasonCode::protocol_error, at);
}

void read_value(Reader& in, const PropertyInfo& info) {
  const std::uint32_t at = in.offset();
  switch (info.type) {
    case byte: return check_number(in, info, in.byte(), at);
    case two_byte_integer: return check_number(in, info, in.two_byte_integer(), at);
    case four_byte_integer: return check_number(in, info, in.four_byte_integer(), at);
    case variable_byte_integer: return check_number(in, info, in.variable_byte_integer(), at);
    case binary_data: in.binary_data(); return;
    case utf8_string_pair:
      in.utf8_string();
      in.utf8_string();
      return;
    case utf8_string: break;
  }
  const std::string_view text = in.utf8_string();
  if (info.id == PropertyId::response_topic) check_response_topic(in, text, at);
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

}  // namespace

std::expected<PropertiesView, DecodeError> validate_properties(Bytes encoded, PropertyPlace place,
                                                               Sender sender) {
  Reader in{encoded, Version::v5};
  std::uint64_t seen = 0;
  while (in.ok() && in.left() > 0) {
    const std::uint32_t at = in.offset();
    const std::uint32_t id = in.variable_byte_integer();
    if (!in.ok()) break;
    const PropertyInfo* info = find_property(id);
    if (!info) {
      in.fail(clauses::property_unknown, "property identifier is not defined", ReasonCode::malformed_packet,
              at);
      break;
    }
    in.require(info->allowed_at(place), clauses::property_place, "property does not belong in this packet",
               ReasonCode::malformed_packet, at);
    const std::uint64_t mark = std::uint64_t{1} << id;
    in.require((seen & mark) == 0 || may_repeat(*info, place), value_clause(info->id),
               "property stands more than once", ReasonCode::protocol_error, at);
    seen |= mark;
    check_side(in, *info, place, sender, at);
    if (in.ok()) read_value(in, *info);
  }
  return in.done(PropertiesView{encoded});
}

}  // namespace mqtt
