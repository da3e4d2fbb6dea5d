#include <algorithm>

#include <mqtt/inspect/rules.hpp>
#include <mqtt/util/utf8.hpp>

// CONNECT, CONNACK, and what may come before and after them.

namespace mqtt::rules {
namespace {

using enum PacketType;

void check_first_of_client(Judge& j) {
  if (j.from(client) && j.state.from_connect && j.own().packets == 0 && j.type() != connect)
    j.report({}, std::string{to_string(j.type())});
}

void check_second_connect(Judge& j) {
  if (j.state.connect) j.report({}, {}, j.state.connect->step.number);
}

void check_first_of_server(Judge& j) {
  if (!j.from(server) || !j.state.from_connect || j.own().packets > 0) return;
  const bool allowed = j.type() == connack || j.type() == auth || j.type() == disconnect;
  if (!allowed) j.report({}, std::string{to_string(j.type())});
}

void check_disconnect_before_connack(Judge& j) {
  if (j.from(server) && j.state.all_seen() && !j.state.accepted()) j.report();
}

void check_second_connack(Judge& j) {
  if (j.state.connack) j.report({}, {}, j.state.connack->step.number);
}

void check_session_present(Judge& j) {
  const auto& p = *j.as<ConnackView>();
  if (j.state.connect && j.state.connect->clean_start && p.session_present)
    j.report("Session Present", {}, j.state.connect->step.number);
}

void check_after_refusal(Judge& j) {
  if (j.from(server) && j.state.refused() && j.type() != disconnect)
    j.report({}, std::string{to_string(j.type())}, j.state.connack->step.number);
}

bool accepts(Judge& j) { return j.state.connect && j.as<ConnackView>()->reason == ReasonCode::success; }

void check_assigned_id(Judge& j) {
  const auto& p = *j.as<ConnackView>();
  if (accepts(j) && j.state.connect->client_id.empty() &&
      !p.properties.find(PropertyId::assigned_client_identifier))
    j.report({}, {}, j.state.connect->step.number);
}

void check_assigned_id_unasked(Judge& j) {
  const auto& p = *j.as<ConnackView>();
  if (j.state.connect && !j.state.connect->client_id.empty() &&
      p.properties.find(PropertyId::assigned_client_identifier))
    j.report("Assigned Client Identifier", {}, j.state.connect->step.number);
}

bool empty_id_kept(const std::string_view id, bool clean, Version version) {
  return version == Version::v3_1_1 && id.empty() && !clean;
}

void check_empty_id(Judge& j) {
  const auto& p = *j.as<ConnectView>();
  if (empty_id_kept(p.client_id, p.clean_start, p.version)) j.report("Client Identifier");
}

void check_empty_id_accepted(Judge& j) {
  if (accepts(j) && empty_id_kept(j.state.connect->client_id, j.state.connect->clean_start, j.state.version))
    j.report({}, {}, j.state.connect->step.number);
}

/// One to 23 letters and digits: what every server must take.
bool is_plain_id(std::string_view id) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !id.empty() && id.size() <= 23 && std::ranges::all_of(id, plain);
}

void check_plain_id_refused(Judge& j) {
  const auto& p = *j.as<ConnackView>();
  if (j.state.connect && is_plain_id(j.state.connect->client_id) &&
      p.reason == ReasonCode::client_identifier_not_valid)
    j.report(j.state.version == Version::v5 ? "Connect Reason Code" : "Connect Return code",
             j.state.connect->client_id, j.state.connect->step.number);
}

void check_response_information(Judge& j) {
  const auto& p = *j.as<ConnackView>();
  if (j.state.connect && !j.state.connect->wants_response_information &&
      p.properties.find(PropertyId::response_information))
    j.report("Response Information", {}, j.state.connect->step.number);
}

void check_problem_information(Judge& j) {
  const bool exempt = j.type() == publish || j.type() == connack || j.type() == disconnect;
  if (!j.from(server) || exempt || !j.state.connect || j.state.connect->wants_problem_information) return;
  const PropertiesView properties = properties_of(*j.packet().packet);
  if (properties.find(PropertyId::reason_string))
    j.report("Reason String", {}, j.state.connect->step.number);
  else if (properties.find(PropertyId::user_property))
    j.report("User Property", {}, j.state.connect->step.number);
}

void check_before_authenticated(Judge& j) {
  if (!j.from(client) || !j.state.connect || !j.state.connect->auth_method || j.state.connack) return;
  if (j.own().partial || j.peer().partial || j.type() == connect) return;
  if (j.type() != auth && j.type() != disconnect) j.report({}, std::string{to_string(j.type())});
}

/// The text gives Server Reference to two reason codes alone, in CONNACK and DISCONNECT.
void check_server_reference(Judge& j) {
  const PacketView& packet = *j.packet().packet;
  const auto* connack_packet = j.as<ConnackView>();
  const ReasonCode reason = connack_packet ? connack_packet->reason : std::get<DisconnectView>(packet).reason;
  const bool moved = reason == ReasonCode::use_another_server || reason == ReasonCode::server_moved;
  if (!moved && properties_of(packet).find(PropertyId::server_reference)) j.report("Server Reference");
}

void check_will_text(Judge& j) {
  const auto& p = *j.as<ConnectView>();
  if (p.will && p.will->properties.number_or(PropertyId::payload_format_indicator, 0) == 1 &&
      !is_mqtt_utf8(p.will->payload))
    j.report("Will Payload");
}

void check_assigned_id_unique(Judge& j) {
  if (j.state.assigned_id_taken)
    j.report_at_end(server, *j.state.connack->assigned_id, j.state.connack->step.number);
}

/// Another connection has its client id.
void check_superseded_closed(Judge& j) {
  if (j.state.superseded && j.now() - *j.state.superseded > answer_grace &&
      !j.state.side(client).disconnect && !j.state.side(server).disconnect)
    j.report_at_end(server, j.state.connect->client_id);
}

void check_superseded_told(Judge& j) {
  if (j.state.challenged && j.close().by == server && j.state.accepted() && j.state.all_seen() &&
      !j.state.side(client).disconnect && !j.state.side(server).disconnect &&
      j.now() - *j.state.challenged <= answer_grace)
    j.report_at_end(server, j.state.connect->client_id);
}

constexpr Rule connect_table[] = {
    {{"MQTT-3.1.3-6", none},
     Severity::error,
     "server assigned a client id that another client has",
     at_close,
     check_assigned_id_unique},
    {{"MQTT-3.1.4-3", "MQTT-3.1.4-2"},
     Severity::warning,
     "server did not close though another connection has taken the client id",
     at_close,
     check_superseded_closed},
    {{"MQTT-3.1.4-3", none},
     Severity::warning,
     "server closed without DISCONNECT though another connection has taken the client id",
     at_close,
     check_superseded_told},
    {{"MQTT-3.1.0-1"},
     Severity::error,
     "the client's first packet is not CONNECT",
     any_packet,
     check_first_of_client},
    {{"MQTT-3.1.0-2"}, Severity::error, "second CONNECT", on(connect), check_second_connect},
    {{"MQTT-3.2.0-1"},
     Severity::error,
     "the server's first packet is not CONNACK",
     any_packet,
     check_first_of_server},
    {{"MQTT-3.14.0-1", none},
     Severity::error,
     "server sent DISCONNECT before a successful CONNACK",
     on(disconnect),
     check_disconnect_before_connack},
    {{"MQTT-3.2.0-2", "v311#3.2.0/connack-repeat"},
     Severity::error,
     "second CONNACK",
     on(connack),
     check_second_connack},
    {{"MQTT-3.2.2-2", "MQTT-3.2.2-1"},
     Severity::error,
     "a Clean Session cannot be present already",
     on(connack),
     check_session_present},
    {{"MQTT-3.1.4-6", "MQTT-3.1.4-5"},
     Severity::error,
     "server goes on after it refused the connection",
     any_packet,
     check_after_refusal},
    {{"MQTT-3.1.3-7", none},
     Severity::error,
     "empty client id accepted without an assigned one",
     on(connack),
     check_assigned_id},
    {{"v5#3.2.2.3.7/assigned-dup", none},
     Severity::error,
     "server assigned a client id to a client that has one",
     on(connack),
     check_assigned_id_unasked},
    {{none, "MQTT-3.1.3-7"},
     Severity::error,
     "empty client id with Clean Session 0",
     on(connect),
     check_empty_id},
    {{none, "MQTT-3.1.3-8"},
     Severity::error,
     "server accepted an empty client id with Clean Session 0",
     on(connack),
     check_empty_id_accepted},
    {{"MQTT-3.1.3-5"},
     Severity::warning,
     "server refused a client id of up to 23 letters and digits",
     on(connack),
     check_plain_id_refused},
    {{"MQTT-3.1.2-28", none},
     Severity::error,
     "Response Information that was not asked for",
     on(connack),
     check_response_information},
    {{"MQTT-3.1.2-29", none},
     Severity::error,
     "problem information that was not asked for",
     any_packet,
     check_problem_information},
    {{"MQTT-3.1.2-30", none},
     Severity::error,
     "client did not wait for the end of its authentication",
     any_packet,
     check_before_authenticated},
    {{"v5#3.2.2.3.16/server-ref", none},
     Severity::warning,
     "Server Reference with a reason that is not a move",
     on(connack, disconnect),
     check_server_reference},
    {{"v5#3.1.3.2.3/will-pfi", none},
     Severity::warning,
     "Will Payload is not the UTF-8 that it is said to be",
     on(connect),
     check_will_text},
};

}  // namespace

std::span<const Rule> connecting() { return connect_table; }

}  // namespace mqtt::rules
