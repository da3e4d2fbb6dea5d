// The flows of messages and requests that we start.
#include <mqtt/session/session_core.hpp>

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include <mqtt/codec/encode.hpp>
#include <mqtt/codec/topic.hpp>
#include <mqtt/session/message_expiry.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt {
namespace {

constexpr std::size_t packet_ids_max = 65'535;

ReasonCode reason_of(const Error& fault) {
  switch (session_fault(fault)) {
    case SessionFault::qos_not_supported: return ReasonCode::qos_not_supported;
    case SessionFault::retain_not_supported: return ReasonCode::retain_not_supported;
    default: return ReasonCode::packet_too_large;
  }
}

/// Its PUBLISH as it is sent again: with what is left of its Message Expiry Interval [MQTT-3.3.2-6], which
/// a session that began before 5.0 had not. `with_rest` owns the properties then.
PublishView repetition_of(const Inflight::Entry& entry, TimePoint now, Properties& with_rest) {
  PublishView view = entry.message.header();
  view.packet_id = entry.id;
  view.dup = entry.dup;  // [MQTT-3.3.1-1]
  if (!entry.expires) return view;
  with_rest = Properties{view.properties};
  with_rest.set(PropertyId::message_expiry_interval, seconds_left(*entry.expires, now));
  view.properties = with_rest;
  return view;
}

}  // namespace

Result<PacketId> SessionCore::publish(const PublishView& header, const SharedBytes& payload,
                                      Deadline expires) {
  if (const auto ok = check_connected(); !ok) return std::unexpected(ok.error());
  if (const auto ok = check_message(header); !ok) return std::unexpected(ok.error());
  auto outgoing = apply_alias(header);
  if (!outgoing) return std::unexpected(outgoing.error());
  if (const auto fault = find_limit_fault(outgoing->view, payload.bytes.size()))
    return std::unexpected(*fault);
  if (header.qos != QoS::at_most_once) return publish_stored(*outgoing, payload, expires);
  write_publish(outgoing->view, payload);
  if (outgoing->alias != 0) aliases_.make().outgoing.set(outgoing->alias, outgoing->topic);
  return PacketId{0};
}

Result<PacketId> SessionCore::publish_stored(Outgoing& outgoing, const SharedBytes& payload,
                                             Deadline expires) {
  if (send_quota() == 0)
    return fail(SessionFault::quota_exhausted,
                fmt::format("{} messages are in flight, as many as the {} takes at once",
                            with_commas(flows_->state.outgoing.size()), peer_name()));
  // Sent again on another connection, the message cannot rely on an alias of this one.
  PublishView full = outgoing.view;
  full.topic = outgoing.topic;
  Properties plain;
  if (outgoing.alias != 0) {
    plain = Properties{full.properties};
    plain.remove(PropertyId::topic_alias);
    full.properties = plain.view();
    if (const auto fault = find_limit_fault(full, payload.bytes.size())) return std::unexpected(*fault);
  }
  const auto id = take_packet_id();
  if (!id) return id;
  Inflight& messages = flows().state.outgoing;
  messages.add(*id, full, payload, expires);
  outgoing.view.packet_id = *id;
  write_publish(outgoing.view, messages.find(*id)->message.payload());
  messages.mark_sent(*id);
  if (outgoing.alias != 0) aliases_.make().outgoing.set(outgoing.alias, outgoing.topic);
  return id;
}

Result<void> SessionCore::relay(const PublishView& message, const SharedBytes& payload) {
  if (auto ok = check_connected(); !ok) return ok;
  if (auto ok = check_message(message); !ok) return ok;
  if (auto fault = find_limit_fault(message, payload.bytes.size())) return std::unexpected(std::move(*fault));
  write_publish(message, payload);
  return {};
}

Result<void> SessionCore::relay(PacketType type, PacketId id, ReasonCode reason) {
  if (auto ok = check_connected(); !ok) return ok;
  if (!reason_allowed(reason, type, settings_.role))
    reason = is_error(reason) ? ReasonCode::unspecified_error : ReasonCode::success;
  const AckView ack{id, reason, {}};
  switch (type) {
    case PacketType::puback: return send(PubackView{ack});
    case PacketType::pubrec: return send(PubrecView{ack});
    case PacketType::pubrel: return send(PubrelView{ack});
    default: return send(PubcompView{ack});
  }
}

Result<void> SessionCore::check_message(const PublishView& header) const {
  if (const auto ok = check_properties(header.properties, PropertyPlace::publish); !ok) return ok;
  if (header.topic.empty() && header.properties.find(PropertyId::topic_alias)) return {};
  const auto fault = find_topic_name_error(header.topic);
  if (!fault) return {};
  return fail(SessionFault::invalid_topic,
              fmt::format("\"{}\" cannot be a topic name: {} [{}]", escape_for_terminal(header.topic),
                          fault->what, fault->clause.id(version_)));
}

std::optional<Error> SessionCore::find_limit_fault(const PublishView& header,
                                                   std::size_t payload_size) const {
  const auto fault = [](SessionFault code, std::string context) {
    return Error{ErrorDomain::session, static_cast<int>(code), std::move(context)};
  };
  if (header.qos > peer_.maximum_qos)
    return fault(SessionFault::qos_not_supported,
                 fmt::format("QoS {} is above the server's Maximum QoS of {}", to_number(header.qos),
                             to_number(peer_.maximum_qos)));
  if (header.retain && !peer_.retain_available)
    return fault(SessionFault::retain_not_supported, "the server does not keep retained messages");
  const auto size = encoded_publish_size(header, payload_size, version_);
  if (!size)
    return fault(SessionFault::field_too_long,
                 fmt::format("message of {} bytes does not fit into a packet, which ends at 268,435,455",
                             with_commas(payload_size)));
  if (*size <= peer_.maximum_packet_size) return std::nullopt;
  return fault(SessionFault::packet_too_large,
               fmt::format("message of {} bytes is larger than the {}'s Maximum Packet Size of {}",
                           with_commas(*size), peer_name(), with_commas(peer_.maximum_packet_size)));
}

Result<SessionCore::Outgoing> SessionCore::apply_alias(const PublishView& header) {
  PublishView view = header;
  view.dup = false;
  view.packet_id = 0;
  if (!header.properties.empty())
    if (const auto callers = header.properties.number(PropertyId::topic_alias))
      return apply_callers_alias(view, static_cast<std::uint16_t>(*callers));
  const bool wanted = settings_.alias_policy != AliasPolicy::none && peer_.topic_alias_maximum > 0;
  if (!wanted) return Outgoing{view, header.topic, 0};
  const auto [alias, known] = aliases_->outgoing.choose(header.topic, peer_.topic_alias_maximum);
  if (alias == 0) return Outgoing{view, header.topic, 0};
  std::string& properties = aliases_.make().properties;
  properties.assign({static_cast<char>(PropertyId::topic_alias), static_cast<char>(alias >> 8),
                     static_cast<char>(alias & 0xFF)});
  properties.append(as_text(header.properties.encoded()));
  view.properties = PropertiesView{as_bytes(properties)};
  if (known) view.topic = {};
  return Outgoing{view, header.topic, alias};
}

Result<SessionCore::Outgoing> SessionCore::apply_callers_alias(const PublishView& view,
                                                               std::uint16_t alias) const {
  if (alias > peer_.topic_alias_maximum)
    return fail(SessionFault::alias_misuse,
                fmt::format("Topic Alias {} is above the {}'s Topic Alias Maximum of {}", alias, peer_name(),
                            peer_.topic_alias_maximum));
  const std::string_view topic = view.topic.empty() ? aliases_->outgoing.find(alias) : view.topic;
  if (topic.empty())
    return fail(SessionFault::alias_misuse,
                fmt::format("Topic Alias {} was not set on this connection, and there is no topic", alias));
  return Outgoing{view, topic, alias};
}

Result<PacketId> SessionCore::take_packet_id() {
  const SessionState& state = flows_->state;
  if (state.outgoing.size() + requests_->size() >= packet_ids_max)
    return fail(SessionFault::no_packet_id, "all 65,535 packet identifiers are in use");
  const auto in_use = [&](PacketId id) { return state.outgoing.contains(id) || requests_->contains(id); };
  PacketId id = next_id();
  while (id == 0 || in_use(id)) ++id;
  next_id() = static_cast<PacketId>(id + 1);
  return id;
}

void SessionCore::write_publish(const PublishView& view, const SharedBytes& payload) {
  const std::size_t before = output_.size();
  encode_publish(output_, view, payload, version_);
  bytes_queued_ += output_.size() - before;
  if (!observer_) return;
  PublishView seen = view;
  seen.payload = payload.bytes;
  observer_->on_packet_sent(seen);
}

std::size_t SessionCore::window() const {
  const std::uint16_t unasked = version_ == Version::v5 ? receive_maximum_default : send_window_before_v5;
  return std::min(settings_.send_window.value_or(unasked), peer_.receive_maximum);
}

std::size_t SessionCore::send_quota() const {
  const std::size_t used = flows_->state.outgoing.size();
  return connected() && used < window() ? window() - used : 0;
}

void SessionCore::resume(TimePoint now, FlowHandler& handler, bool session_present) {
  if (!flows_) return;
  struct Final {
    PacketId id;
    ReasonCode reason;
  };
  std::vector<Final> finals;
  Inflight& messages = flows().state.outgoing;
  messages.begin_connection(session_present);
  if (!session_present) flows().state.incoming.clear();
  Properties with_rest;
  for (auto* entry = messages.next(); entry; entry = messages.next(entry)) {
    if (entry->stage == Inflight::Stage::released) {
      if (!session_present) finals.push_back({entry->id, entry->reason});
    } else if (const auto fault = find_limit_fault(repetition_of(*entry, now, with_rest),
                                                   entry->message.payload().bytes.size())) {
      finals.push_back({entry->id, reason_of(*fault)});
    }
  }
  for (const Final& final : finals) messages.remove(final.id);
  // PUBRELs need no quota (4.9); PUBLISHes wait for theirs behind the first that has to.
  bool waiting = false;
  for (auto* entry = messages.next(); entry; entry = messages.next(entry)) {
    const bool published = entry->stage == Inflight::Stage::published;
    waiting = waiting || (published && messages.sent() >= window());
    if (!published || !waiting) send_again(now, *entry);
  }
  for (const Final& final : finals) handler.on_published(final.id, final.reason, {});
}

void SessionCore::send_again(TimePoint now, const Inflight::Entry& entry) {
  if (entry.stage == Inflight::Stage::released)
    answer(PubrelView{{entry.id, ReasonCode::success, {}}});
  else
    publish_again(now, entry);
  flows().state.outgoing.mark_sent(entry.id);
}

/// Also what has expired meanwhile: only a delivery that has not begun is given up [MQTT-3.3.2-5], one that
/// has is completed [MQTT-4.4.0-1] [MQTT-4.3.3-7].
void SessionCore::publish_again(TimePoint now, const Inflight::Entry& entry) {
  Properties with_rest;
  write_publish(repetition_of(entry, now, with_rest), entry.message.payload());
}

void SessionCore::send_backlog(TimePoint now) {
  const Inflight& messages = flows_->state.outgoing;
  if (!connected() || messages.sent() == messages.size()) return;
  for (auto* entry = messages.next(); entry && messages.sent() < window(); entry = messages.next(entry))
    if (!entry->sent) send_again(now, *entry);
}

void SessionCore::finish(TimePoint now, PacketId id, ReasonCode reason, PropertiesView properties,
                         FlowHandler& handler) {
  flows().state.outgoing.remove(id);
  send_backlog(now);
  handler.on_published(id, reason, properties);
}

void SessionCore::on_puback(TimePoint now, const AckView& ack, FlowHandler& handler) {
  const auto* entry = flows_->state.outgoing.find(ack.packet_id);
  if (!entry) return;  // a late or doubled answer changes nothing
  if (entry->qos != QoS::at_least_once)
    return violation(ReasonCode::protocol_error, Clause{"MQTT-3.3.4-1"}, "PUBACK answers a QoS 2 PUBLISH");
  finish(now, ack.packet_id, ack.reason, ack.properties, handler);
}

void SessionCore::on_pubrec(TimePoint now, const AckView& ack, FlowHandler& handler) {
  const auto* entry = flows_->state.outgoing.find(ack.packet_id);
  if (entry && entry->qos != QoS::exactly_once)
    return violation(ReasonCode::protocol_error, Clause{"MQTT-3.3.4-1"}, "PUBREC answers a QoS 1 PUBLISH");
  if (is_error(ack.reason)) {  // ends the flow: no PUBREL follows (4.3.3)
    if (entry) finish(now, ack.packet_id, ack.reason, ack.properties, handler);
    return;
  }
  if (entry && entry->stage == Inflight::Stage::published) {
    Inflight& messages = flows().state.outgoing;
    messages.release(ack.packet_id, ack.reason);
    messages.mark_sent(ack.packet_id);
  }
  const ReasonCode reason = entry ? ReasonCode::success : ReasonCode::packet_identifier_not_found;
  answer(PubrelView{{ack.packet_id, reason, {}}});
  if (entry) handler.on_taken_over(ack.packet_id);
}

void SessionCore::on_pubcomp(TimePoint now, const AckView& ack, FlowHandler& handler) {
  const auto* entry = flows_->state.outgoing.find(ack.packet_id);
  if (!entry) return;
  if (entry->stage != Inflight::Stage::released)
    return violation(ReasonCode::protocol_error, Clause{"MQTT-2.2.1-5", "MQTT-2.3.1-6"},
                     "PUBCOMP answers a message that was not released");
  // What became of the message PUBREC said; "not found" here only means that PUBREL came twice (3.7.2.1).
  finish(now, ack.packet_id, entry->reason, ack.properties, handler);
}

Result<PacketId> SessionCore::request(PacketType type, SubscriptionsView list, PropertiesView properties) {
  const auto id = take_packet_id();
  if (!id) return id;
  const auto sent = type == PacketType::subscribe ? send(SubscribeView{*id, properties, list})
                                                  : send(UnsubscribeView{*id, properties, list});
  if (!sent) {
    next_id() = *id;
    return std::unexpected(sent.error());
  }
  requests_.make().put(*id, {type, static_cast<std::uint32_t>(list.count())});
  return id;
}

bool SessionCore::on_answer(PacketId id, PacketType request, std::optional<std::size_t> answers,
                            Clause count_clause) {
  const Request* asked = requests_->find(id);
  const bool known = asked && asked->type == request;
  const bool complete = known && (!answers || *answers == asked->filters);
  if (!known)
    violation(ReasonCode::protocol_error, Clause{"MQTT-2.2.1-6", "MQTT-2.3.1-7"},
              "answer to a request that was not made");
  else if (!complete)
    violation(ReasonCode::protocol_error, count_clause,
              request == PacketType::subscribe ? "SUBACK with more or fewer codes than filters"
                                               : "UNSUBACK with more or fewer codes than filters");
  else
    forget_request(id);
  return complete;
}

}  // namespace mqtt
