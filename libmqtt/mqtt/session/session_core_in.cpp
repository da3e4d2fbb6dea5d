// The flows of messages and requests that the peer starts.
#include <fmt/format.h>

#include <mqtt/session/session_core.hpp>

namespace mqtt {

void SessionCore::on_publish(PublishView publish, FlowHandler& handler) {
  if (!check_own_limits(publish) || !resolve_alias(publish)) return;
  if (publish.qos == QoS::at_most_once || relays()) return handler.on_message(publish, {});
  if (publish.qos == QoS::exactly_once) return on_qos_2(publish, handler);
  if (!count_received()) return;
  hand_over(publish, flows().acks.push(publish.packet_id, publish.qos), handler);
}

bool SessionCore::check_own_limits(const PublishView& publish) {
  if (publish.qos > own_.maximum_qos)
    violation(ReasonCode::qos_not_supported, Clause{"MQTT-3.2.2-11"},
              "PUBLISH above the announced Maximum QoS");
  else if (publish.retain && !own_.retain_available)
    violation(ReasonCode::retain_not_supported, Clause{"MQTT-3.2.2-14"},
              "PUBLISH with RETAIN, which was announced as not available");
  return connected();
}

bool SessionCore::resolve_alias(PublishView& publish) {
  if (publish.properties.empty()) return true;
  const auto alias = publish.properties.number(PropertyId::topic_alias);
  if (!alias) return true;
  if (*alias > own_.topic_alias_maximum) {
    const bool from_server = settings_.role == Sender::client;
    violation(ReasonCode::topic_alias_invalid, Clause{from_server ? "MQTT-3.3.2-11" : "MQTT-3.3.2-9"},
              "Topic Alias is above the announced Topic Alias Maximum");
    return false;
  }
  const auto number = static_cast<std::uint16_t>(*alias);
  if (!publish.topic.empty())
    aliases_.make().incoming.set(number, publish.topic);
  else
    publish.topic = aliases_->incoming.find(number);
  if (publish.topic.empty())
    violation(ReasonCode::protocol_error, Clause{"MQTT-3.3.2-7"},
              "Topic Alias was not set on this connection");
  return !publish.topic.empty();
}

/// Flow control (4.9): the peer's messages that we have not answered with PUBACK, PUBCOMP or an error.
bool SessionCore::count_received() {
  if (unanswered_ >= own_.receive_maximum) {
    const bool from_server = settings_.role == Sender::client;
    violation(ReasonCode::receive_maximum_exceeded, Clause{from_server ? "MQTT-3.3.4-9" : "MQTT-3.3.4-7"},
              "more unanswered messages than the announced Receive Maximum");
    return false;
  }
  ++unanswered_;
  return true;
}

void SessionCore::count_answered() {
  if (unanswered_ > 0) --unanswered_;
}

void SessionCore::hand_over(const PublishView& publish, AckToken token, FlowHandler& handler) {
  handler.on_message(publish, token);
  if (settings_.ack_mode == AckMode::automatic) ack(token, ReasonCode::success, {});
}

void SessionCore::on_qos_2(const PublishView& publish, FlowHandler& handler) {
  Flows& flows = this->flows();
  if (auto* record = flows.state.incoming.find(publish.packet_id))
    return on_repeated_qos_2(publish.packet_id, *record);
  if (!count_received()) return;
  const AckToken token = flows.acks.push(publish.packet_id, publish.qos);
  flows.state.incoming.put(publish.packet_id, {.counted = true, .token = token, .place = token});
  hand_over(publish, token, handler);
}

/// Not handed over again, but answered [MQTT-4.3.3-10]: at once, in its turn, or when ack() says so.
void SessionCore::on_repeated_qos_2(PacketId id, ReceivedIds::Record& record) {
  if (record.place.needs_ack()) return;
  if (!record.counted && !count_received()) return;
  record.counted = true;
  AckQueue& acks = flows().acks;
  record.place = acks.push(id, QoS::exactly_once);
  if (record.stage == ReceivedIds::Stage::handed_over) return;
  acks.acknowledge(record.place, record.reason, {});
  flush_acks();
}

Result<void> SessionCore::ack(const AckToken& token, ReasonCode reason, PropertiesView properties) {
  if (!token.needs_ack()) return {};
  auto& [state, acks] = flows();
  auto* record = state.incoming.find(token.id);
  const bool recorded = record && record->token == token;
  const auto waiting = recorded ? QoS::exactly_once : acks.find(token);
  const bool again =
      recorded ? record->stage != ReceivedIds::Stage::handed_over : !waiting && token.epoch == acks.epoch();
  if (again) return fail(SessionFault::wrong_state, "the message was acknowledged before");
  if (!waiting) return {};  // of an earlier connection: the peer sends it again
  if (const auto ok = check_ack(*waiting, reason, properties); !ok) return ok;
  // Before 5.0 there is no way to refuse [MQTT-3.3.5-2].
  const ReasonCode said = version_ == Version::v5 ? reason : ReasonCode::success;
  if (recorded) {
    record->stage = ReceivedIds::Stage::answered;
    record->reason = said;
  }
  const AckToken place = recorded ? record->place : token;
  if (place.needs_ack()) acks.acknowledge(place, said, properties);
  flush_acks();
  return {};
}

void SessionCore::disown(const AckToken& token) {
  ReceivedIds& incoming = flows().state.incoming;
  const auto* record = incoming.find(token.id);
  if (record && record->token == token) incoming.remove(token.id);
}

Result<void> SessionCore::check_ack(QoS qos, ReasonCode reason, PropertiesView properties) const {
  const PacketType type = qos == QoS::exactly_once ? PacketType::pubrec : PacketType::puback;
  if (!reason_allowed(reason, type, settings_.role))
    return fail(SessionFault::bad_reason_code, fmt::format("{} cannot carry reason code 0x{:02X}",
                                                           to_string(type), static_cast<unsigned>(reason)));
  return check_properties(properties, place_of(type));
}

void SessionCore::flush_acks() {
  while (connected()) {
    const auto ready = flows().acks.pop();
    if (!ready) return;
    send_ready(*ready);
  }
}

void SessionCore::send_ready(const ReadyAck& ready) {
  const PacketId id = ready.token.id;
  if (ready.qos == QoS::at_least_once) {
    count_answered();
    return answer(PubackView{{id, ready.reason, ready.properties}});
  }
  ReceivedIds& incoming = flows().state.incoming;
  auto* record = incoming.find(id);
  if (!record || record->place != ready.token) return;  // PUBREL has overtaken a repetition
  record->place = {};
  record->stage = ReceivedIds::Stage::recorded;
  if (is_error(ready.reason)) {  // the flow ends here, and the identifier is free (4.3.3)
    if (record->counted) count_answered();
    incoming.remove(id);
  }
  answer(PubrecView{{id, ready.reason, ready.properties}});
}

void SessionCore::on_pubrel(const AckView& ack, FlowHandler& handler) {
  const PacketId id = ack.packet_id;
  ReceivedIds& incoming = flows().state.incoming;
  const auto* record = incoming.find(id);
  if (!record) return answer(PubcompView{{id, ReasonCode::packet_identifier_not_found, {}}});
  if (record->stage != ReceivedIds::Stage::recorded)
    return violation(ReasonCode::protocol_error, Clause{"MQTT-4.3.3-4", "MQTT-4.3.3-1"},
                     "PUBREL for a message that had no PUBREC yet");
  if (record->counted) count_answered();
  incoming.remove(id);
  answer(PubcompView{{id, ReasonCode::success, {}}});
  handler.on_released(id);
}

void SessionCore::answer(const PacketView& packet) {
  if (send(packet) || close_info_) return;
  violation(ReasonCode::implementation_specific_error, Clause{"MQTT-3.1.2-24", "v311#2.2.3/size"},
            "the peer's Maximum Packet Size leaves no room for an answer");
}

bool SessionCore::on_request(PacketId id, Request request) {
  if (requests_->contains(id)) {
    violation(ReasonCode::protocol_error, Clause{"MQTT-2.2.1-3", "MQTT-2.3.1-2"},
              "request with a packet identifier that is in use");
    return false;
  }
  requests_.make().put(id, request);
  return true;
}

void SessionCore::forget_request(PacketId id) {
  requests_.make().erase(id);
  if (requests_->size() == 0) requests_.reset();
}

Result<void> SessionCore::check_codes(PacketId id, PacketType request, PacketType answer, Bytes codes,
                                      PropertiesView properties) const {
  if (auto ok = check_connected(); !ok) return ok;
  const Request* asked = requests_->find(id);
  if (!asked || asked->type != request)
    return fail(SessionFault::wrong_state,
                fmt::format("no {} with packet identifier {} waits for an answer", to_string(request), id));
  if (asked->filters != codes.size())
    return fail(SessionFault::bad_reason_code,
                fmt::format("{} codes cannot answer {} filters", codes.size(), asked->filters));
  for (const std::uint8_t code : codes)
    if (!reason_allowed(static_cast<ReasonCode>(code), answer, Sender::server))
      return fail(SessionFault::bad_reason_code,
                  fmt::format("{} cannot carry reason code 0x{:02X}", to_string(answer), code));
  return check_properties(properties, place_of(answer));
}

Result<void> SessionCore::answer_request(const SubackView& suback) {
  const auto ok = check_codes(suback.packet_id, PacketType::subscribe, PacketType::suback, suback.reasons,
                              suback.properties);
  if (!ok) return ok;
  SubackView said = suback;
  std::string codes = to_string(suback.reasons);
  if (version_ != Version::v5)
    for (char& code : codes) code = is_error(static_cast<ReasonCode>(code)) ? '\x80' : code;
  said.reasons = as_bytes(codes);
  if (auto sent = send(said); !sent) return sent;
  forget_request(suback.packet_id);
  return {};
}

Result<void> SessionCore::answer_request(const UnsubackView& unsuback) {
  const auto ok = check_codes(unsuback.packet_id, PacketType::unsubscribe, PacketType::unsuback,
                              unsuback.reasons, unsuback.properties);
  if (!ok) return ok;
  if (auto sent = send(unsuback); !sent) return sent;
  forget_request(unsuback.packet_id);
  return {};
}

}  // namespace mqtt
