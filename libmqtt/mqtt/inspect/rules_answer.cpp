#include <utility>

#include <mqtt/inspect/rules.hpp>

// PUBACK, PUBREC, PUBREL, PUBCOMP: to what they answer, in which order, and their size.

namespace mqtt::rules {
namespace {

using enum PacketType;
using Stage = OpenMessage::Stage;

constexpr std::uint32_t answers = on(puback, pubrec, pubrel, pubcomp);

const AckView& ack(const Judge& j) {
  return std::visit(
      [](const auto& p) -> const AckView& {
        if constexpr (std::is_base_of_v<AckView, std::remove_cvref_t<decltype(p)>>)
          return p;
        else
          std::unreachable();  // the rules of this file are looked at for `answers` alone
      },
      *j.packet().packet);
}

/// The message that the packet belongs to: the sender's own for PUBREL.
const OpenMessage* answered_message(const Judge& j) {
  const SideState& publisher = j.type() == pubrel ? j.own() : j.peer();
  const auto found = publisher.messages.find(ack(j).packet_id);
  return found == publisher.messages.end() ? nullptr : &found->second;
}

void check_kind(Judge& j) {
  const OpenMessage* open = answered_message(j);
  if (!open || !j.state.all_seen()) return;
  const QoS wanted = j.type() == puback ? QoS::at_least_once : QoS::exactly_once;
  if (open->qos != wanted)
    j.report({}, fmt::format("{} for a message of QoS {}", to_string(j.type()), to_number(open->qos)),
             open->first.number);
}

/// Packet Identifier not found says itself that there is nothing to answer.
void check_answers_something(Judge& j) {
  if (!j.fresh_session() || answered_message(j) || ack(j).reason == ReasonCode::packet_identifier_not_found)
    return;
  j.report("Packet Identifier", fmt::format("{} {}", to_string(j.type()), ack(j).packet_id));
}

void check_pubrel_too_early(Judge& j) {
  const OpenMessage* open = answered_message(j);
  if (open && j.state.all_seen() && open->qos == QoS::exactly_once && open->stage == Stage::published)
    j.report({}, {}, open->last.number);
}

void check_pubcomp_too_early(Judge& j) {
  const OpenMessage* open = answered_message(j);
  if (open && j.state.all_seen() && open->qos == QoS::exactly_once && open->stage != Stage::released)
    j.report({}, {}, open->last.number);
}

void check_order(Judge& j, const AnswerOrder& order, const SideState& publisher) {
  if (!j.from(client) || !j.state.all_seen()) return;
  const PacketId overtaken = order.overtaken_by(ack(j).packet_id);
  if (overtaken == 0) return;
  const auto message = publisher.messages.find(overtaken);
  j.report("Packet Identifier", fmt::format("{} before {}", ack(j).packet_id, overtaken),
           message == publisher.messages.end() ? 0 : message->second.last.number);
}
void check_puback_order(Judge& j) { check_order(j, j.peer().answers[0], j.peer()); }
void check_pubrec_order(Judge& j) { check_order(j, j.peer().answers[1], j.peer()); }
void check_pubrel_order(Judge& j) { check_order(j, j.own().pubrels, j.own()); }

/// Bytes that the receiver takes; nothing while that is not known.
std::optional<std::uint32_t> size_limit(const Judge& j) {
  const bool known = j.from(server) ? j.state.connect.has_value() : j.state.connack.has_value();
  return known ? std::optional{j.peer().maximum_packet_size} : std::nullopt;
}

bool too_large(const Judge& j) {
  const auto limit = size_limit(j);
  return limit && j.packet().size() > *limit;
}

std::string sizes(const Judge& j) {
  return fmt::format("{} bytes, Maximum Packet Size is {}", j.packet().size(), *size_limit(j));
}

/// A packet that has a rule of its own for what made it too large.
bool has_own_rule(const Judge& j) {
  if (j.type() == publish || j.type() == connect || j.type() == subscribe || j.type() == unsubscribe)
    return false;
  const PropertiesView p = properties_of(*j.packet().packet);
  return p.find(PropertyId::reason_string) || p.find(PropertyId::user_property);
}

void check_size_for(Judge& j, Sender sender) {
  if (j.from(sender) && too_large(j) && !has_own_rule(j)) j.report("Remaining Length", sizes(j));
}
void check_size_for_server(Judge& j) { check_size_for(j, client); }
void check_size_for_client(Judge& j) { check_size_for(j, server); }

/// A Reason String or User Property must not make a packet too large; the first of the two is named.
void check_size_with(Judge& j) {
  const PropertiesView p = properties_of(*j.packet().packet);
  const PropertyId id = *j.rule().property;
  if (!too_large(j) || !p.find(id)) return;
  if (id == PropertyId::user_property && p.find(PropertyId::reason_string)) return;
  j.report(property_info(id).name, sizes(j));
}

constexpr std::string_view with_reason = "Reason String makes the packet larger than its receiver takes";
constexpr std::string_view with_user = "User Property makes the packet larger than its receiver takes";

constexpr Rule too_large_with(std::string_view clause, PacketType type, PropertyId property) {
  return {{clause, none}, Severity::error, property == PropertyId::reason_string ? with_reason : with_user,
          on(type),       check_size_with, property};
}

constexpr auto reason_string = PropertyId::reason_string, user_property = PropertyId::user_property;

constexpr Rule answer_table[] = {
    {{"MQTT-3.3.4-1"}, Severity::error, "answer of the wrong kind", answers, check_kind},
    {{"MQTT-2.2.1-5", "MQTT-2.3.1-6"},
     Severity::error,
     "answer to a packet identifier that is not under way",
     answers,
     check_answers_something},
    {{"MQTT-4.3.3-4", "MQTT-4.3.3-1"},
     Severity::error,
     "PUBREL before PUBREC",
     on(pubrel),
     check_pubrel_too_early},
    {{"MQTT-4.3.3-11", "MQTT-4.3.3-2"},
     Severity::error,
     "PUBCOMP before PUBREL",
     on(pubcomp),
     check_pubcomp_too_early},
    {{"MQTT-4.6.0-2"}, Severity::error, "PUBACK overtakes another", on(puback), check_puback_order},
    {{"MQTT-4.6.0-3"}, Severity::error, "PUBREC overtakes another", on(pubrec), check_pubrec_order},
    {{"MQTT-4.6.0-4"}, Severity::error, "PUBREL overtakes another", on(pubrel), check_pubrel_order},
    {{"MQTT-3.2.2-15", none},
     Severity::error,
     "packet larger than the server takes",
     any_packet,
     check_size_for_server},
    {{"MQTT-3.1.2-24", none},
     Severity::error,
     "packet larger than the client takes",
     any_packet,
     check_size_for_client},
    too_large_with("MQTT-3.2.2-19", connack, reason_string),
    too_large_with("MQTT-3.2.2-20", connack, user_property),
    too_large_with("MQTT-3.4.2-2", puback, reason_string),
    too_large_with("MQTT-3.4.2-3", puback, user_property),
    too_large_with("MQTT-3.5.2-2", pubrec, reason_string),
    too_large_with("MQTT-3.5.2-3", pubrec, user_property),
    too_large_with("MQTT-3.6.2-2", pubrel, reason_string),
    too_large_with("MQTT-3.6.2-3", pubrel, user_property),
    too_large_with("MQTT-3.7.2-2", pubcomp, reason_string),
    too_large_with("MQTT-3.7.2-3", pubcomp, user_property),
    too_large_with("MQTT-3.9.2-1", suback, reason_string),
    too_large_with("MQTT-3.9.2-2", suback, user_property),
    too_large_with("MQTT-3.11.2-1", unsuback, reason_string),
    too_large_with("MQTT-3.11.2-2", unsuback, user_property),
    too_large_with("MQTT-3.14.2-3", disconnect, reason_string),
    too_large_with("MQTT-3.14.2-4", disconnect, user_property),
    too_large_with("MQTT-3.15.2-2", auth, reason_string),
    too_large_with("MQTT-3.15.2-3", auth, user_property),
};

}  // namespace

std::span<const Rule> answering() { return answer_table; }

}  // namespace mqtt::rules
