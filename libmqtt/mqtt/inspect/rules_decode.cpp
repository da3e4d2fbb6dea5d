#include <mqtt/inspect/rules.hpp>

// The rules that one packet alone can break: decode() holds packets to them, and says the byte.

namespace mqtt::rules {
namespace {

/// A rule of 5.0 alone.
constexpr Rule v5(std::string_view clause, std::string_view text, Severity severity = Severity::error) {
  return {{clause, none}, severity, text};
}
constexpr Rule v5(Clause clause, std::string_view text) { return v5(clause.v5, text); }
constexpr Rule before_5(Clause clause, std::string_view text) {
  return {{none, clause.v3_1_1}, Severity::error, text};
}
constexpr Rule both(Clause clause, std::string_view text) { return {clause, Severity::error, text}; }

constexpr Rule decode_table[] = {
    both(clauses::string_well_formed, "string is not well-formed UTF-8"),
    both(clauses::string_without_nul, "string contains U+0000"),
    both(clauses::varint_minimal, "variable byte integer is not in its shortest form"),
    both(clauses::varint_four_bytes, "variable byte integer is longer than four bytes"),
    both(clauses::type_reserved, "packet type is reserved"),
    both(clauses::type_direction, "packet of the other side"),
    both(clauses::flags_reserved, "reserved flags of the fixed header are wrong"),
    both(clauses::length_fits, "fields do not end where the packet ends"),
    v5(clauses::request_packet_id, "packet identifier is 0"),
    v5(clauses::server_packet_id, "packet identifier is 0"),
    both(clauses::answer_packet_id, "packet identifier is 0"),
    v5(clauses::property_unknown, "property identifier is not defined"),
    v5(clauses::property_place, "property does not belong in this packet"),
    v5(clauses::property_length, "properties are longer than the packet"),
    v5(clauses::subscription_id_from_client, "client sent a Subscription Identifier in PUBLISH"),
    both(clauses::protocol_name, "protocol name is not MQTT"),
    both(clauses::protocol_level, "protocol level is not supported"),
    both(clauses::connect_reserved_flag, "reserved connect flag is set"),
    both(clauses::will_qos_without_will, "Will QoS without a Will"),
    both(clauses::will_qos_3, "Will QoS is 3"),
    both(clauses::will_retain_without_will, "Will Retain without a Will"),
    before_5(clauses::password_without_user, "Password without a User Name"),
    v5(clauses::auth_data_without_method, "Authentication Data more than once, or without a method"),
    both(clauses::connack_flags, "reserved CONNACK flags are set"),
    both(clauses::session_present_on_refusal, "refused connection with Session Present"),
    both(clauses::connack_reason, "code does not belong in CONNACK"),
    both(clauses::dup_on_qos_0, "DUP set on a QoS 0 PUBLISH"),
    both(clauses::publish_qos_3, "PUBLISH with both QoS bits set"),
    both(clauses::publish_topic_wildcard, "topic name contains a wildcard"),
    both(clauses::publish_topic_empty, "PUBLISH without a topic name"),
    v5(clauses::response_topic_wildcard, "Response Topic is not a topic name"),
    v5(clauses::puback_reason, "reason code does not belong in PUBACK"),
    v5(clauses::pubrec_reason, "reason code does not belong in PUBREC"),
    v5(clauses::pubrel_reason, "reason code does not belong in PUBREL"),
    v5(clauses::pubcomp_reason, "reason code does not belong in PUBCOMP"),
    both(clauses::subscribe_empty, "SUBSCRIBE without a topic filter"),
    both(clauses::subscribe_reserved_bits, "reserved subscription option bits are set"),
    v5(clauses::subscribe_qos_3, "requested QoS is 3"),
    v5(clauses::retain_handling_3, "Retain Handling is 3"),
    v5(clauses::no_local_shared, "No Local on a shared subscription"),
    both(clauses::suback_reason, "code does not belong in SUBACK"),
    both(clauses::suback_empty, "SUBACK without a code"),
    both(clauses::unsubscribe_empty, "UNSUBSCRIBE without a topic filter"),
    v5(clauses::unsuback_reason, "reason code does not belong in UNSUBACK"),
    v5(clauses::disconnect_reason, "reason code does not belong in this DISCONNECT"),
    v5(clauses::server_disconnect_expiry, "server sent a Session Expiry Interval in DISCONNECT"),
    before_5(clauses::server_disconnect_before_5, "server sent a DISCONNECT, which only MQTT 5.0 allows"),
    v5(clauses::auth_reason, "reason code does not belong in this AUTH"),
    v5(clauses::auth_method, "AUTH without an Authentication Method"),
    both(clauses::topic_wildcard, "Will Topic contains a wildcard"),
    both(clauses::hash_last, "'#' is not alone in the last level"),
    both(clauses::plus_alone, "'+' is not alone in its level"),
    v5(clauses::topic_empty, "topic is empty"),
    v5(clauses::share_name_empty, "share name is empty"),
    v5(clauses::share_name_chars, "share name contains a wildcard, or no filter follows it"),
    // 3.1.1 has one number for what 5.0 says of each side's requests.
    before_5(clauses::request_packet_id, "packet identifier is 0"),
    v5("v5#3.3.2.3.2/pfi-value", "Payload Format Indicator is not 0 or 1, or stands twice",
       Severity::warning),
    v5("v5#3.3.2.3.3/expiry-dup", "Message Expiry Interval stands twice", Severity::warning),
    v5("v5#3.3.2.3.9/dup", "Content Type stands twice"),
    v5("v5#3.3.2.3.5/dup", "Response Topic stands twice"),
    v5("v5#3.3.2.3.6/dup", "Correlation Data stands twice"),
    v5("v5#3.8.2.1.2/subid", "Subscription Identifier is 0, or stands twice"),
    v5("v5#3.1.2.11.2/sei-dup", "Session Expiry Interval stands twice"),
    v5("v5#3.2.2.3.7/assigned-dup", "Assigned Client Identifier stands twice"),
    v5("v5#3.2.2.3.14/ska-dup", "Server Keep Alive stands twice"),
    v5("v5#3.1.2.11.9/auth-method-dup", "Authentication Method stands twice"),
    v5("v5#3.1.2.11.7/rpi", "Request Problem Information is not 0 or 1, or stands twice"),
    v5("v5#3.1.3.2.2/will-prop-dup", "Will Delay Interval stands twice"),
    v5("v5#3.1.2.11.6/rri", "Request Response Information is not 0 or 1, or stands twice"),
    v5("v5#3.2.2.3.15/resp-info-dup", "Response Information stands twice"),
    v5("v5#3.2.2.3.16/server-ref", "Server Reference stands twice"),
    v5("v5#3.2.2.3.9/reason-dup", "Reason String stands twice"),
    v5("v5#3.1.2.11.3/rm", "Receive Maximum is 0, or stands twice"),
    v5("v5#3.1.2.11.5/tam-dup", "Topic Alias Maximum stands twice"),
    v5("v5#3.3.2.3.4/alias-dup", "Topic Alias stands twice"),
    v5("MQTT-3.3.2-8", "Topic Alias is 0"),
    v5("v5#3.2.2.3.4/max-qos", "Maximum QoS is not 0 or 1, or stands twice"),
    v5("v5#3.2.2.3.5/retain-avail", "Retain Available is not 0 or 1, or stands twice"),
    v5("v5#3.1.2.11.4/mps", "Maximum Packet Size is 0, or stands twice"),
    v5("v5#3.2.2.3.11/feature-bits", "Wildcard Subscription Available is not 0 or 1, or stands twice"),
    v5("v5#3.2.2.3.12/feature-bits", "Subscription Identifier Available is not 0 or 1, or stands twice"),
    v5("v5#3.2.2.3.13/feature-bits", "Shared Subscription Available is not 0 or 1, or stands twice"),
    v5("v5#3.14.2.2.5/ref-dup", "client sent a Server Reference"),
};

}  // namespace

std::span<const Rule> decoding() { return decode_table; }

}  // namespace mqtt::rules
