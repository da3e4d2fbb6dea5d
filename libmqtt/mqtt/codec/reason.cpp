#include <mqtt/codec/reason.hpp>

#include <algorithm>
#include <array>

namespace mqtt {
namespace {

using enum PacketType;

constexpr std::uint32_t bit(PacketType type, Sender sender) {
  return 1u << (static_cast<unsigned>(type) + (sender == Sender::server ? 16 : 0));
}
constexpr std::uint32_t client(PacketType type) { return bit(type, Sender::client); }
constexpr std::uint32_t server(PacketType type) { return bit(type, Sender::server); }
constexpr std::uint32_t both(PacketType type) { return client(type) | server(type); }

constexpr std::uint32_t publish_answers = both(puback) | both(pubrec);

/// Table 2-6 of MQTT 5.0; who may send a DISCONNECT code is Table 3-10, AUTH 3-11. Two codes stand wider
/// than Table 3-10: 0x8C, which Table 2-6 gives to DISCONNECT, and 0x9B, which 3.3.4 tells a client to send.
struct Row {
  ReasonCode code;
  std::string_view name;
  std::uint32_t where;
};

constexpr std::array<Row, 43> rows{{
    {ReasonCode::success, "Success",
     server(connack) | publish_answers | both(pubrel) | both(pubcomp) | server(unsuback) | server(suback) |
         both(disconnect) | server(auth)},
    {ReasonCode::granted_qos_1, "Granted QoS 1", server(suback)},
    {ReasonCode::granted_qos_2, "Granted QoS 2", server(suback)},
    {ReasonCode::disconnect_with_will, "Disconnect with Will Message", client(disconnect)},
    {ReasonCode::no_matching_subscribers, "No matching subscribers", server(puback) | server(pubrec)},
    {ReasonCode::no_subscription_existed, "No subscription existed", server(unsuback)},
    {ReasonCode::continue_authentication, "Continue authentication", both(auth)},
    {ReasonCode::re_authenticate, "Re-authenticate", client(auth)},
    {ReasonCode::unspecified_error, "Unspecified error",
     server(connack) | publish_answers | server(suback) | server(unsuback) | both(disconnect)},
    {ReasonCode::malformed_packet, "Malformed Packet", server(connack) | both(disconnect)},
    {ReasonCode::protocol_error, "Protocol Error", server(connack) | both(disconnect)},
    {ReasonCode::implementation_specific_error, "Implementation specific error",
     server(connack) | publish_answers | server(suback) | server(unsuback) | both(disconnect)},
    {ReasonCode::unsupported_protocol_version, "Unsupported Protocol Version", server(connack)},
    {ReasonCode::client_identifier_not_valid, "Client Identifier not valid", server(connack)},
    {ReasonCode::bad_user_name_or_password, "Bad User Name or Password", server(connack)},
    {ReasonCode::not_authorized, "Not authorized",
     server(connack) | publish_answers | server(suback) | server(unsuback) | server(disconnect)},
    {ReasonCode::server_unavailable, "Server unavailable", server(connack)},
    {ReasonCode::server_busy, "Server busy", server(connack) | server(disconnect)},
    {ReasonCode::banned, "Banned", server(connack)},
    {ReasonCode::server_shutting_down, "Server shutting down", server(disconnect)},
    {ReasonCode::bad_authentication_method, "Bad authentication method", server(connack) | both(disconnect)},
    {ReasonCode::keep_alive_timeout, "Keep Alive timeout", server(disconnect)},
    {ReasonCode::session_taken_over, "Session taken over", server(disconnect)},
    {ReasonCode::topic_filter_invalid, "Topic Filter invalid",
     server(suback) | server(unsuback) | server(disconnect)},
    {ReasonCode::topic_name_invalid, "Topic Name invalid",
     server(connack) | publish_answers | both(disconnect)},
    {ReasonCode::packet_identifier_in_use, "Packet Identifier in use",
     publish_answers | server(suback) | server(unsuback)},
    {ReasonCode::packet_identifier_not_found, "Packet Identifier not found", both(pubrel) | both(pubcomp)},
    {ReasonCode::receive_maximum_exceeded, "Receive Maximum exceeded", both(disconnect)},
    {ReasonCode::topic_alias_invalid, "Topic Alias invalid", both(disconnect)},
    {ReasonCode::packet_too_large, "Packet too large", server(connack) | both(disconnect)},
    {ReasonCode::message_rate_too_high, "Message rate too high", both(disconnect)},
    {ReasonCode::quota_exceeded, "Quota exceeded",
     server(connack) | publish_answers | server(suback) | both(disconnect)},
    {ReasonCode::administrative_action, "Administrative action", both(disconnect)},
    {ReasonCode::payload_format_invalid, "Payload format invalid",
     server(connack) | publish_answers | both(disconnect)},
    {ReasonCode::retain_not_supported, "Retain not supported", server(connack) | server(disconnect)},
    {ReasonCode::qos_not_supported, "QoS not supported", server(connack) | both(disconnect)},
    {ReasonCode::use_another_server, "Use another server", server(connack) | server(disconnect)},
    {ReasonCode::server_moved, "Server moved", server(connack) | server(disconnect)},
    {ReasonCode::shared_subscriptions_not_supported, "Shared Subscriptions not supported",
     server(suback) | server(disconnect)},
    {ReasonCode::connection_rate_exceeded, "Connection rate exceeded", server(connack) | server(disconnect)},
    {ReasonCode::maximum_connect_time, "Maximum connect time", server(disconnect)},
    {ReasonCode::subscription_identifiers_not_supported, "Subscription Identifiers not supported",
     server(suback) | server(disconnect)},
    {ReasonCode::wildcard_subscriptions_not_supported, "Wildcard Subscriptions not supported",
     server(suback) | server(disconnect)},
}};

const Row* find(ReasonCode code) {
  const auto row = std::ranges::find(rows, code, &Row::code);
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace

std::string_view reason_name(ReasonCode code, PacketType type) {
  if (code == ReasonCode::success && type == disconnect) return "Normal disconnection";
  if (code == ReasonCode::success && type == suback) return "Granted QoS 0";
  const Row* row = find(code);
  return row ? row->name : "Unknown reason code";
}

bool reason_allowed(ReasonCode code, PacketType type, Sender sender) {
  const Row* row = find(code);
  return row && (row->where & bit(type, sender)) != 0;
}

std::string_view to_string(ConnectReturnCode code) {
  switch (code) {
    case ConnectReturnCode::accepted: return "Connection Accepted";
    case ConnectReturnCode::unacceptable_protocol_version: return "unacceptable protocol version";
    case ConnectReturnCode::identifier_rejected: return "identifier rejected";
    case ConnectReturnCode::server_unavailable: return "Server unavailable";
    case ConnectReturnCode::bad_user_name_or_password: return "bad user name or password";
    case ConnectReturnCode::not_authorized: return "not authorized";
  }
  return "unknown return code";
}

ReasonCode to_reason_code(ConnectReturnCode code) {
  switch (code) {
    case ConnectReturnCode::accepted: return ReasonCode::success;
    case ConnectReturnCode::unacceptable_protocol_version: return ReasonCode::unsupported_protocol_version;
    case ConnectReturnCode::identifier_rejected: return ReasonCode::client_identifier_not_valid;
    case ConnectReturnCode::server_unavailable: return ReasonCode::server_unavailable;
    case ConnectReturnCode::bad_user_name_or_password: return ReasonCode::bad_user_name_or_password;
    case ConnectReturnCode::not_authorized: return ReasonCode::not_authorized;
  }
  return ReasonCode::unspecified_error;
}

}  // namespace mqtt
