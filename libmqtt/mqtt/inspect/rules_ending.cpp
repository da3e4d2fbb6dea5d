#include <mqtt/inspect/rules.hpp>
#include <mqtt/util/text.hpp>

// Keep-alive, PING, AUTH, DISCONNECT, and what is left when a connection ends.

namespace mqtt::rules {
namespace {

using enum PacketType;
using Stage = OpenMessage::Stage;

void check_unasked_pingresp(Judge& j) {
  if (j.state.all_seen() && j.state.pings.empty()) j.report();
}

void check_after_disconnect(Judge& j) {
  if (j.own().disconnect) j.report({}, std::string{to_string(j.type())}, j.own().disconnect->step.number);
}

void check_expiry_raised(Judge& j) {
  const auto& p = *j.as<DisconnectView>();
  if (j.from(client) && j.state.connect && j.state.connect->session_expiry == 0 &&
      p.properties.number_or(PropertyId::session_expiry_interval, 0) != 0)
    j.report("Session Expiry Interval", {}, j.state.connect->step.number);
}

/// How long the client has been silent, from its last packet on, beyond `part` of the keep-alive and a slack
/// of a tenth and a second for the way from the client to us; nothing if it has not.
std::optional<Duration> silence_beyond(const Judge& j, double part) {
  const Duration keep_alive = j.state.keep_alive();
  const SideState& side = j.state.side(client);
  if (!j.state.all_seen() || !j.state.accepted() || keep_alive == Duration{} || !side.last)
    return std::nullopt;
  if (side.disconnect || j.state.side(server).disconnect) return std::nullopt;
  const Duration silence = j.now() - side.last->time;
  const auto limit = std::chrono::duration_cast<Duration>(keep_alive * part * 1.1) + std::chrono::seconds{1};
  return silence > limit ? std::optional{silence} : std::nullopt;
}

void report_silence(Judge& j, Sender side, Duration silence) {
  j.report_at_end(side, fmt::format("{} of silence, Keep Alive is {}",
                                    format_duration(std::chrono::floor<std::chrono::milliseconds>(silence)),
                                    format_duration(j.state.keep_alive())));
}

/// Its silence ends with the client's next packet, or with the connection.
bool ends_silence(const Judge& j) { return j.at_end() || j.from(client); }

void check_silence(Judge& j) {
  const bool asked_by_server = j.state.connack && j.state.connack->server_keep_alive;
  const auto silence = ends_silence(j) && !asked_by_server ? silence_beyond(j, 1.0) : std::nullopt;
  if (silence) report_silence(j, client, *silence);
}

void check_silence_for_server(Judge& j) {
  const bool asked_by_server = j.state.connack && j.state.connack->server_keep_alive;
  const auto silence = ends_silence(j) && asked_by_server ? silence_beyond(j, 1.0) : std::nullopt;
  if (silence) report_silence(j, client, *silence);
}

void check_server_patience(Judge& j) {
  const auto silence = ends_silence(j) ? silence_beyond(j, 1.5) : std::nullopt;
  if (silence) report_silence(j, server, *silence);
}

void check_auth_without_method(Judge& j, Sender sender) {
  if (j.from(sender) && j.state.connect && !j.state.connect->auth_method) j.report();
}
void check_client_auth_without_method(Judge& j) { check_auth_without_method(j, client); }

void check_server_auth_without_method(Judge& j) {
  if (j.type() == auth) return check_auth_without_method(j, server);
  const auto* p = j.as<ConnackView>();
  if (p && j.state.connect && !j.state.connect->auth_method &&
      p->properties.find(PropertyId::authentication_method))
    j.report("Authentication Method", {}, j.state.connect->step.number);
}

void check_auth_reason(Judge& j, Sender sender) {
  if (j.from(sender) && j.state.connect && !j.state.connack &&
      j.as<AuthView>()->reason != ReasonCode::continue_authentication)
    j.report("Authenticate Reason Code");
}
void check_server_auth_reason(Judge& j) { check_auth_reason(j, server); }
void check_client_auth_reason(Judge& j) { check_auth_reason(j, client); }

void check_auth_method(Judge& j) {
  if (!j.state.connect || !j.state.connect->auth_method) return;
  const auto* p = j.as<ConnackView>();
  if (p && p->reason != ReasonCode::success) return;
  const auto method = properties_of(*j.packet().packet).text(PropertyId::authentication_method);
  // AUTH of length 0 is Success without properties (3.15.2.1).
  if (!method && !p && j.as<AuthView>()->properties.empty()) return;
  if (method != *j.state.connect->auth_method)
    j.report("Authentication Method", {}, j.state.connect->step.number);
}

bool overdue(const Judge& j, const Step& step) { return j.now() - step.time > answer_grace; }

void check_connack_came(Judge& j) {
  if (j.state.all_seen() && j.state.connect && !j.state.connack && overdue(j, j.state.connect->step))
    j.report_at_end(server, {}, j.state.connect->step.number);
}

void check_refusal_closed(Judge& j) {
  if (j.state.refused() && overdue(j, j.state.connack->step))
    j.report_at_end(server, {}, j.state.connack->step.number);
}

void check_disconnect_closed(Judge& j) {
  for (const Sender sender : {client, server}) {
    const auto& disconnect_packet = j.state.side(sender).disconnect;
    if (disconnect_packet && overdue(j, disconnect_packet->step))
      j.report_at_end(sender, {}, disconnect_packet->step.number);
  }
}

/// Messages in a stage whose next packet is overdue: one finding for each side that owes it. Of a side that
/// has said DISCONNECT nothing is expected.
void check_messages(Judge& j, QoS qos, Stage stage) {
  if (!j.state.all_seen() || !j.state.accepted()) return;
  for (const Sender publisher : {client, server}) {
    const Sender debtor = stage == Stage::received ? publisher : other(publisher);
    if (j.state.side(debtor).disconnect) continue;
    std::uint64_t first = 0, count = 0;
    for (const auto& [id, message] : j.state.side(publisher).messages) {
      if (message.qos != qos || message.stage != stage || !overdue(j, message.last)) continue;
      first = count++ == 0 ? message.last.number : std::min(first, message.last.number);
    }
    if (count > 0) j.report_at_end(debtor, fmt::format("{}", count), first);
  }
}
void check_pubacks(Judge& j) { check_messages(j, QoS::at_least_once, Stage::published); }
void check_pubrecs(Judge& j) { check_messages(j, QoS::exactly_once, Stage::published); }
void check_pubrels(Judge& j) { check_messages(j, QoS::exactly_once, Stage::received); }
void check_pubcomps(Judge& j) { check_messages(j, QoS::exactly_once, Stage::released); }

void check_requests(Judge& j, PacketType type) {
  if (!j.state.all_seen() || j.state.side(server).disconnect) return;
  for (const auto& [id, request] : j.state.requests)
    if (request.type == type && overdue(j, request.step))
      return j.report_at_end(server, fmt::format("packet identifier {}", id), request.step.number);
}
void check_subacks(Judge& j) { check_requests(j, subscribe); }
void check_unsubacks(Judge& j) { check_requests(j, unsubscribe); }

void check_pingresps(Judge& j) {
  if (j.state.all_seen() && !j.state.side(server).disconnect && !j.state.pings.empty() &&
      overdue(j, j.state.pings.front()))
    j.report_at_end(server, {}, j.state.pings.front().number);
}

constexpr Rule ending_table[] = {
    {{"v5#3.13/unsolicited", "v311#3.13/unsolicited"},
     Severity::error,
     "PINGRESP without a PINGREQ",
     on(pingresp),
     check_unasked_pingresp},
    {{"MQTT-3.14.4-1", "MQTT-3.14.4-2"},
     Severity::error,
     "packet after the sender's DISCONNECT",
     any_packet,
     check_after_disconnect},
    {{"v5#3.14.2.2.2/sei-raise", none},
     Severity::error,
     "DISCONNECT gives an expiry to a session that had none",
     on(disconnect),
     check_expiry_raised},
    {{"MQTT-3.1.2-20", "MQTT-3.1.2-23"},
     Severity::warning,
     "client was silent for longer than its Keep Alive",
     any_packet | at_close,
     check_silence},
    {{"MQTT-3.2.2-21", none},
     Severity::warning,
     "client was silent for longer than the Server Keep Alive",
     any_packet | at_close,
     check_silence_for_server},
    {{"MQTT-3.1.2-22", "MQTT-3.1.2-24"},
     Severity::warning,
     "server did not close at one and a half times the Keep Alive",
     any_packet | at_close,
     check_server_patience},
    {{"MQTT-4.12.0-6", none},
     Severity::error,
     "server authenticates a client that named no method",
     on(auth, connack),
     check_server_auth_without_method},
    {{"MQTT-4.12.0-7", none},
     Severity::error,
     "AUTH of a client that named no method in CONNECT",
     on(auth),
     check_client_auth_without_method},
    {{"MQTT-4.12.0-2", none},
     Severity::error,
     "server's AUTH before CONNACK does not continue",
     on(auth),
     check_server_auth_reason},
    {{"MQTT-4.12.0-3", none},
     Severity::error,
     "client's AUTH before CONNACK does not continue",
     on(auth),
     check_client_auth_reason},
    {{"MQTT-4.12.0-5", none},
     Severity::error,
     "Authentication Method is not that of CONNECT",
     on(auth, connack),
     check_auth_method},
    {{"MQTT-3.1.4-5", "MQTT-3.1.4-4"},
     Severity::warning,
     "CONNECT was not answered",
     at_close,
     check_connack_came},
    {{"MQTT-3.2.2-7", "MQTT-3.2.2-5"},
     Severity::error,
     "server did not close after it refused",
     at_close,
     check_refusal_closed},
    {{"MQTT-3.14.4-2", "MQTT-3.14.4-1"},
     Severity::error,
     "sender of DISCONNECT did not close",
     at_close,
     check_disconnect_closed},
    {{"MQTT-4.3.2-4", "MQTT-4.3.2-2"},
     Severity::warning,
     "QoS 1 messages were not acknowledged",
     at_close,
     check_pubacks},
    {{"MQTT-4.3.3-8", "MQTT-4.3.3-2"},
     Severity::warning,
     "QoS 2 messages without PUBREC",
     at_close,
     check_pubrecs},
    {{"MQTT-4.3.3-4", "MQTT-4.3.3-1"},
     Severity::warning,
     "QoS 2 messages without PUBREL",
     at_close,
     check_pubrels},
    {{"MQTT-4.3.3-11", "MQTT-4.3.3-2"},
     Severity::warning,
     "QoS 2 messages without PUBCOMP",
     at_close,
     check_pubcomps},
    {{"MQTT-3.8.4-1"}, Severity::warning, "SUBSCRIBE was not answered", at_close, check_subacks},
    {{"MQTT-3.10.4-4"}, Severity::warning, "UNSUBSCRIBE was not answered", at_close, check_unsubacks},
    {{"MQTT-3.12.4-1"}, Severity::warning, "PINGREQ was not answered", at_close, check_pingresps},
};

}  // namespace

std::span<const Rule> ending() { return ending_table; }

}  // namespace mqtt::rules
