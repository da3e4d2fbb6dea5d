#include <mqtt/inspect/rules.hpp>
#include <mqtt/util/utf8.hpp>

// PUBLISH: identifiers, repetition, limits and aliases.

namespace mqtt::rules {
namespace {

using enum PacketType;
using Stage = OpenMessage::Stage;

const PublishView& message(const Judge& j) { return *j.as<PublishView>(); }

const OpenMessage* open_message(const SideState& side, PacketId id) {
  const auto found = side.messages.find(id);
  return found == side.messages.end() ? nullptr : &found->second;
}

/// What has this id under way at the sender.
std::uint64_t user_of_id(Judge& j, PacketId id) {
  if (const OpenMessage* open = open_message(j.own(), id)) return open->first.number;
  const auto request = j.state.requests.find(id);
  return j.from(client) && request != j.state.requests.end() ? request->second.step.number : 0;
}

void check_id_in_use(Judge& j, Sender sender, PacketId id) {
  if (!j.from(sender) || !j.state.all_seen()) return;
  if (const std::uint64_t user = user_of_id(j, id))
    j.report("Packet Identifier", fmt::format("{}", id), user);
}

void check_client_id_in_use(Judge& j) {
  const PacketView& packet = *j.packet().packet;
  if (const auto* p = std::get_if<PublishView>(&packet)) {
    if (p->qos != QoS::at_most_once && !p->dup) check_id_in_use(j, client, p->packet_id);
  } else if (const auto* s = std::get_if<SubscribeView>(&packet)) {
    check_id_in_use(j, client, s->packet_id);
  } else {
    check_id_in_use(j, client, std::get<UnsubscribeView>(packet).packet_id);
  }
}

void check_server_id_in_use(Judge& j) {
  const PublishView& p = message(j);
  if (p.qos != QoS::at_most_once && !p.dup) check_id_in_use(j, server, p.packet_id);
}

/// An acknowledgement of this message said an error, on this connection or on one before.
bool is_refused(Judge& j) {
  const PublishView& p = message(j);
  if (!p.dup || open_message(j.own(), p.packet_id) || !j.state.all_seen()) return false;
  const auto lists = [&](const auto& refused) {
    const auto found = refused.find(p.packet_id);
    return found != refused.end() && found->second == payload_digest(p.payload);
  };
  const auto& past = j.state.past;
  return lists(j.own().refused) || (past && lists(past->refused[static_cast<std::size_t>(j.sender())]));
}

void check_dup_of_nothing(Judge& j) {
  const PublishView& p = message(j);
  if (p.dup && j.fresh_session() && !open_message(j.own(), p.packet_id) && !j.left_open(p.packet_id) &&
      !is_refused(j))
    j.report("DUP flag");
}

void check_refused_again(Judge& j) {
  if (is_refused(j)) j.report("DUP flag");
}

void check_repeat_while_connected(Judge& j) {
  const PublishView& p = message(j);
  const OpenMessage* open = p.dup && j.state.all_seen() ? open_message(j.own(), p.packet_id) : nullptr;
  if (open && open->stage == Stage::published) j.report("DUP flag", {}, open->first.number);
}

void check_repeat_after_pubrel(Judge& j) {
  const PublishView& p = message(j);
  const OpenMessage* open = p.dup && j.state.all_seen() ? open_message(j.own(), p.packet_id) : nullptr;
  if (open && open->stage == Stage::released) j.report("Packet Identifier", {}, open->last.number);
}

void check_window(Judge& j, Sender sender) {
  const PublishView& p = message(j);
  if (!j.from(sender) || p.qos == QoS::at_most_once || !j.state.all_seen() || !j.state.accepted()) return;
  const std::size_t maximum = j.peer().receive_maximum;
  if (j.own().messages.contains(p.packet_id) || j.own().messages.size() < maximum) return;
  j.report("Packet Identifier",
           fmt::format("{} unacknowledged, Receive Maximum is {}", j.own().messages.size() + 1, maximum));
}
void check_window_of_server(Judge& j) { check_window(j, client); }
void check_window_of_client(Judge& j) { check_window(j, server); }

std::optional<std::uint32_t> alias_of(const PublishView& p) {
  return p.properties.number(PropertyId::topic_alias);
}

void check_alias_unset(Judge& j) {
  const PublishView& p = message(j);
  if (p.topic.empty() && j.packet().topic.empty() && j.state.all_seen() && !j.own().aliases.incomplete())
    j.report("Topic Alias", fmt::format("{}", alias_of(p).value_or(0)));
}

/// An alias above what the other side allows; `none_allowed` for the rule about an allowance of nothing.
void check_alias(Judge& j, Sender sender, bool none_allowed) {
  if (!j.from(sender) || !j.state.connect || !j.state.connack) return;
  const std::uint32_t maximum = j.peer().topic_alias_maximum;
  const auto alias = alias_of(message(j));
  if (!alias || *alias <= maximum || (maximum == 0) != none_allowed) return;
  j.report("Topic Alias", fmt::format("{}, Topic Alias Maximum is {}", *alias, maximum));
}
void check_client_alias(Judge& j) { check_alias(j, client, false); }
void check_client_alias_none(Judge& j) { check_alias(j, client, true); }
void check_server_alias(Judge& j) { check_alias(j, server, false); }
void check_server_alias_none(Judge& j) { check_alias(j, server, true); }

void check_maximum_qos(Judge& j) {
  if (j.from(client) && j.state.accepted() && message(j).qos > j.state.connack->maximum_qos)
    j.report("QoS level", fmt::format("{}", to_number(message(j).qos)), j.state.connack->step.number);
}

void check_retain_available(Judge& j) {
  if (j.from(client) && j.state.accepted() && message(j).retain && !j.state.connack->retain_available)
    j.report("RETAIN", {}, j.state.connack->step.number);
}

void check_text_payload(Judge& j) {
  const PublishView& p = message(j);
  if (p.properties.number_or(PropertyId::payload_format_indicator, 0) != 1 || is_mqtt_utf8(p.payload)) return;
  const auto error = find_utf8_error(p.payload);
  // Where the rest was left out, a character of up to four bytes may be cut.
  const bool cut = j.packet().left_out > 0 && error->offset + 3 >= p.payload.size();
  if (error->fault == Utf8Fault::ill_formed && !cut) j.report("Payload");
}

constexpr Rule publish_table[] = {
    {{"MQTT-2.2.1-3", "MQTT-2.3.1-2"},
     Severity::error,
     "client used a packet identifier that is under way",
     on(publish, subscribe, unsubscribe),
     check_client_id_in_use},
    {{"MQTT-2.2.1-4", "MQTT-2.3.1-4"},
     Severity::error,
     "server used a packet identifier that is under way",
     on(publish),
     check_server_id_in_use},
    {{"MQTT-3.3.1-3"},
     Severity::warning,
     "DUP on a message that was not sent before",
     on(publish),
     check_dup_of_nothing},
    {{"MQTT-4.4.0-1", none},
     Severity::error,
     "message sent again while connected",
     on(publish),
     check_repeat_while_connected},
    {{"MQTT-4.4.0-2", none},
     Severity::error,
     "message sent again after an acknowledgement that said an error",
     on(publish),
     check_refused_again},
    {{"MQTT-4.3.3-6", "MQTT-4.3.3-1"},
     Severity::error,
     "PUBLISH sent again after its PUBREL",
     on(publish),
     check_repeat_after_pubrel},
    {{"MQTT-3.3.4-7", none},
     Severity::error,
     "client sent more than the server's Receive Maximum",
     on(publish),
     check_window_of_server},
    {{"MQTT-3.3.4-9", none},
     Severity::error,
     "server sent more than the client's Receive Maximum",
     on(publish),
     check_window_of_client},
    {{"MQTT-3.3.2-7", none},
     Severity::error,
     "Topic Alias that was never set",
     on(publish),
     check_alias_unset},
    {{"MQTT-3.3.2-9", none},
     Severity::error,
     "client's Topic Alias is above the server's maximum",
     on(publish),
     check_client_alias},
    {{"MQTT-3.2.2-18", none},
     Severity::error,
     "client sent a Topic Alias where the server takes none",
     on(publish),
     check_client_alias_none},
    {{"MQTT-3.3.2-11", none},
     Severity::error,
     "server's Topic Alias is above the client's maximum",
     on(publish),
     check_server_alias},
    {{"MQTT-3.1.2-27", none},
     Severity::error,
     "server sent a Topic Alias where the client takes none",
     on(publish),
     check_server_alias_none},
    {{"MQTT-3.2.2-11", none},
     Severity::error,
     "QoS above the server's Maximum QoS",
     on(publish),
     check_maximum_qos},
    {{"MQTT-3.2.2-14", none},
     Severity::error,
     "RETAIN though the server has no retained messages",
     on(publish),
     check_retain_available},
    {{"v5#3.3.2.3.2/pfi-utf8", none},
     Severity::warning,
     "payload is not the UTF-8 that it is said to be",
     on(publish),
     check_text_payload},
};

}  // namespace

std::span<const Rule> publishing() { return publish_table; }

}  // namespace mqtt::rules
