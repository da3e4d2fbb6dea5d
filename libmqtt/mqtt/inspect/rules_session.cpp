#include <algorithm>

#include <mqtt/inspect/rules.hpp>
#include <mqtt/util/text.hpp>

// What becomes of a session over connections: whether it is there, and what is sent again. An acknowledgement
// that we saw may not have reached the other side, so only what was never acknowledged counts.

namespace mqtt::rules {
namespace {

using enum PacketType;
using Stage = OpenMessage::Stage;

const PastSession& past(const Judge& j) { return *j.state.past; }
std::size_t side_of(Sender sender) { return static_cast<std::size_t>(sender); }

Duration away(const Judge& j) { return j.state.connect->step.time - past(j).ended; }

std::string time_away(const Judge& j) {
  return fmt::format("{} after its last connection",
                     format_duration(std::chrono::floor<std::chrono::milliseconds>(away(j))));
}

/// An accepted CONNACK that could have a session behind it.
bool may_resume(const Judge& j) {
  return j.state.connect && !j.state.connack && !j.state.connect->clean_start && j.state.all_seen() &&
         j.state.version != Version::v3_1 && j.as<ConnackView>()->reason == ReasonCode::success;
}

void check_session_lost(Judge& j) {
  if (!may_resume(j) || !past(j).exists || j.as<ConnackView>()->session_present) return;
  // A server may count from when it noticed the close, or round.
  const bool lives = !past(j).expiry || away(j) + std::chrono::seconds{1} < *past(j).expiry;
  if (lives) j.report("Session Present", time_away(j));
}

void check_session_of_nothing(Judge& j) {
  if (may_resume(j) && !past(j).exists && j.as<ConnackView>()->session_present) j.report("Session Present");
}

void check_session_expired(Judge& j) {
  if (!may_resume(j) || !past(j).exists || !past(j).expiry || !j.as<ConnackView>()->session_present) return;
  const Duration slack = *past(j).expiry / 10 + answer_grace;
  if (away(j) > *past(j).expiry + slack) j.report("Session Present", time_away(j));
}

/// A client without a session must close if the server has one.
void check_client_goes_on(Judge& j) {
  const SideState& side = j.state.side(client);
  if (!j.state.all_seen() || !j.state.accepted() || !j.state.resumed() || past(j).exists) return;
  const std::uint64_t alone = side.disconnect ? 2 : 1;  // CONNECT, and DISCONNECT
  if (side.packets > alone) j.report_at_end(client, {}, j.state.connack->step.number);
}

/// The sender goes on with a message of a session that is not there any more.
bool is_of_lost_session(const Judge& j) {
  const auto& p = *j.as<PublishView>();
  return p.dup && j.fresh_session() && past(j).messages_known && j.left_open(p.packet_id);
}

void check_resent_after_clean(Judge& j) {
  if (is_of_lost_session(j) && j.state.connect->clean_start) j.report("Packet Identifier");
}
void check_client_resent_lost(Judge& j) {
  if (j.from(client) && is_of_lost_session(j) && !j.state.connect->clean_start)
    j.report("Packet Identifier", {}, j.state.connack->step.number);
}
void check_server_resent_lost(Judge& j) {
  if (j.from(server) && is_of_lost_session(j) && !j.state.connect->clean_start)
    j.report("Packet Identifier", {}, j.state.connack->step.number);
}

/// Messages that are to be sent again are known.
bool is_resumed(const Judge& j) {
  return j.state.all_seen() && j.state.resumed_known() && past(j).messages_known;
}

/// The same message under the same id, as long as nothing has gone on with it, is a repetition. Of a payload
/// that is not all there nobody knows whether it is the same.
void check_dup_missing(Judge& j) {
  const auto& p = *j.as<PublishView>();
  if (p.qos == QoS::at_most_once || p.dup || !is_resumed(j) || j.packet().left_out > 0) return;
  const OpenMessage* open = j.left_open(p.packet_id);
  if (open && open->stage == Stage::published && open->qos == p.qos &&
      open->digest == payload_digest(p.payload))
    j.report("DUP flag");
}

/// Another message under the id of one that is still to be acknowledged.
void check_id_taken(Judge& j, Sender sender) {
  const auto& p = *j.as<PublishView>();
  if (!j.from(sender) || p.qos == QoS::at_most_once || p.dup || !is_resumed(j)) return;
  const OpenMessage* open = j.left_open(p.packet_id);
  if (open && (open->qos != p.qos || open->digest != payload_digest(p.payload)))
    j.report("Packet Identifier", fmt::format("{}", p.packet_id));
}
void check_client_id_taken(Judge& j) { check_id_taken(j, client); }
void check_server_id_taken(Judge& j) { check_id_taken(j, server); }

/// A repetition of a message that is open under another id.
void check_other_id(Judge& j, Sender sender) {
  const auto& p = *j.as<PublishView>();
  if (!j.from(sender) || !p.dup || !is_resumed(j) || j.left_open(p.packet_id) || j.packet().left_out > 0 ||
      j.own().messages.contains(p.packet_id))
    return;
  const std::uint64_t digest = payload_digest(p.payload);
  const auto same = std::ranges::find_if(past(j).messages[side_of(sender)], [&](const auto& each) {
    return each.second.stage == Stage::published && each.second.qos == p.qos && each.second.digest == digest;
  });
  if (same != past(j).messages[side_of(sender)].end())
    j.report("Packet Identifier", fmt::format("{} for {}", p.packet_id, same->first));
}
void check_client_other_id(Judge& j) { check_other_id(j, client); }
void check_server_other_id(Judge& j) { check_other_id(j, server); }

void check_resent_order(Judge& j) {
  const auto& p = *j.as<PublishView>();
  if (!j.from(client) || !is_resumed(j) || !j.left_open(p.packet_id)) return;
  const PacketId overtaken = past(j).publishes[side_of(client)].overtaken_by(p.packet_id);
  if (overtaken != 0) j.report("Packet Identifier", fmt::format("{} before {}", p.packet_id, overtaken));
}

/// What was open before and has not been sent again, unless the other side takes no more for now.
void check_all_resent(Judge& j) {
  if (!is_resumed(j) || j.now() - j.state.connack->step.time <= answer_grace) return;
  for (const Sender sender : {client, server}) {
    const SideState& side = j.state.side(sender);
    const std::size_t left = past(j).messages[side_of(sender)].size();
    const bool may_send = side.messages.size() < j.state.side(other(sender)).receive_maximum;
    if (left > 0 && may_send && !side.disconnect)
      j.report_at_end(sender, fmt::format("{}", left), j.state.connack->step.number);
  }
}

constexpr Rule of_session(Clause clause, Severity severity, std::string_view text, std::uint32_t when,
                          void (*check)(Judge&)) {
  return {clause, severity, text, when, check, {}, Rule::Needs::past};
}

constexpr auto error = Severity::error, warning = Severity::warning;

constexpr Rule session_table[] = {
    of_session({"MQTT-3.1.2-5", "MQTT-3.2.2-2"}, warning, "server has lost a session that should live",
               on(connack), check_session_lost),
    of_session({"MQTT-3.2.2-3"}, warning, "Session Present, but the session ended with the connection before",
               on(connack), check_session_of_nothing),
    of_session({"MQTT-4.1.0-2", none}, warning, "Session Present, but the session has expired", on(connack),
               check_session_expired),
    of_session({"MQTT-3.2.2-4", none}, warning, "client goes on with a session that it has ended", at_close,
               check_client_goes_on),
    of_session({"MQTT-3.1.2-4", "MQTT-3.1.2-6"}, error, "message of the old session in a clean one",
               on(publish), check_resent_after_clean),
    of_session({"MQTT-3.2.2-5", none}, error,
               "client goes on with a message of a session that the server has not", on(publish),
               check_client_resent_lost),
    of_session({"MQTT-3.1.4-4", "MQTT-3.1.4-3"}, warning,
               "message of the old session in one that was said to be new", on(publish),
               check_server_resent_lost),
    of_session({"MQTT-3.3.1-1"}, error, "message sent again without DUP", on(publish), check_dup_missing),
    of_session({"MQTT-2.2.1-3", "MQTT-2.3.1-2"}, warning,
               "client used the packet identifier of a message of the session", on(publish),
               check_client_id_taken),
    of_session({"MQTT-2.2.1-4", "MQTT-2.3.1-4"}, warning,
               "server used the packet identifier of a message of the session", on(publish),
               check_server_id_taken),
    of_session({"MQTT-4.4.0-1", "MQTT-2.3.1-3"}, warning,
               "client sent a message again with another packet identifier", on(publish),
               check_client_other_id),
    of_session({"MQTT-4.4.0-1", "MQTT-2.3.1-4"}, warning,
               "server sent a message again with another packet identifier", on(publish),
               check_server_other_id),
    of_session({"MQTT-4.6.0-1"}, error, "client sent messages again in another order", on(publish),
               check_resent_order),
    of_session({"MQTT-4.4.0-1"}, warning, "messages of the session were not sent again", at_close,
               check_all_resent),
};

}  // namespace

std::span<const Rule> resuming() { return session_table; }

}  // namespace mqtt::rules
