#include <mqtt/bridge/relay.hpp>

#include <algorithm>
#include <utility>

#include <mqtt/codec/property.hpp>

namespace mqtt::bridge {
namespace {

QoS maximum_qos(const ClientSession& session) { return session.limits().maximum_qos; }

}  // namespace

std::array<RelayNumber, 5> numbers_of(const RelayCounters& c) {
  return {{{"sent", c.passed_out},
           {"received", c.passed_in},
           {"dropped", c.dropped},
           {"refused", c.refused},
           {"echoes", c.echoes}}};
}

void Relay::begin_remote(ClientSession& session, bool sends_back) {
  end();
  remote_.session = &session;
  sends_back_ = sends_back;
}

void Relay::begin_local(TimePoint now, ClientSession& session) {
  local_.session = &session;
  for (const PacketId id : std::exchange(held_releases_, {}))
    answer(now, local_, PacketType::pubrel, id, ReasonCode::success);
  pass_held(now);
}

void Relay::end() {
  local_ = {};
  remote_ = {};
  open_.clear();
  held_.clear();
  held_releases_.clear();
  held_bytes_ = 0;
}

void Relay::from_local(TimePoint now, const PublishView& message) {
  const auto topic = rules_.to_remote(message.topic);
  if (!topic) return settle(now, local_, message);  // of a rule that there is no more
  if (sends_back_ && rules_.to_local(*topic)) echoes_.note(now, *topic, message.payload);
  pass(now, local_, remote_, Way::out, message, *topic);
}

void Relay::from_remote(TimePoint now, const PublishView& message) {
  if (is_echo(now, message)) return settle(now, remote_, message);
  if (!local_takes(message)) return hold(message);
  pass_to_local(now, message);
}

void Relay::pass_to_local(TimePoint now, const PublishView& message) {
  const auto topic = rules_.to_local(message.topic);
  if (!topic) return settle(now, remote_, message);
  pass(now, remote_, local_, Way::in, message, *topic);
}

bool Relay::is_echo(TimePoint now, const PublishView& message) {
  if (!sends_back_ || !echoes_.take(now, message.topic, message.payload)) return false;
  ++counters_.echoes;
  return true;
}

bool Relay::local_takes(const PublishView& message) const {
  if (!local_.session || !held_.empty()) return false;
  return message.qos == QoS::at_most_once || open_.size() < local_.session->limits().receive_maximum;
}

void Relay::hold(const PublishView& message) {
  Held& held = held_.emplace_back();
  held.message.assign(message, SharedBytes{message.payload, nullptr});
  held.id = message.packet_id;
  held.dup = message.dup;
  held_bytes_ += held.message.size();
}

void Relay::pass_held(TimePoint now) {
  while (!held_.empty()) {
    const Held& held = held_.front();
    const SharedBytes payload = held.message.payload();
    PublishView message = held.message.header();
    message.packet_id = held.id;
    message.dup = held.dup;
    message.payload = payload.bytes;
    if (message.qos != QoS::at_most_once && open_.size() >= local_.session->limits().receive_maximum) return;
    pass_to_local(now, message);
    held_bytes_ -= held.message.size();
    held_.pop_front();
  }
}

void Relay::pass(TimePoint now, Side& from, Side& to, Way way, const PublishView& message,
                 std::string_view topic) {
  PublishView passed = message;
  passed.topic = topic;
  passed.qos = std::min(message.qos, maximum_qos(*to.session));
  passed.retain = message.retain && to.session->limits().retain_available;
  if (passed.qos == QoS::at_most_once) {
    passed.packet_id = 0;
    passed.dup = false;
  }
  Properties properties;
  if (to.session->version() == Version::v5) properties = to_pass_on(way, message.properties);
  passed.properties = properties;
  const auto sent = to.session->relay(now, passed, SharedBytes{message.payload, nullptr});
  if (!sent && session_fault(sent.error()) == SessionFault::not_connected) return;  // all begins anew
  if (!sent) return drop(now, from, way, message, sent.error());
  ++(way == Way::out ? counters_.passed_out : counters_.passed_in);
  if (passed.qos == QoS::at_most_once) return settle(now, from, message);
  if (passed.qos != message.qos) to.lowered.insert(message.packet_id);
  if (way == Way::in) open_.insert(message.packet_id);
}

/// Without what only concerns the connection it came over; and answers are to find their way back.
Properties Relay::to_pass_on(Way way, PropertiesView properties) const {
  Properties kept{properties};
  kept.remove(PropertyId::subscription_identifier);
  kept.remove(PropertyId::topic_alias);
  if (const auto topic = properties.text(PropertyId::response_topic)) {
    const auto moved = way == Way::out ? rules_.response_to_remote(*topic) : rules_.response_to_local(*topic);
    if (moved) {
      kept.remove(PropertyId::response_topic);
      (void)kept.add(PropertyId::response_topic, *moved);  // what is too long for a packet goes without it
    }
  }
  return kept;
}

void Relay::drop(TimePoint now, Side& from, Way way, const PublishView& message, const Error& why) {
  ++counters_.dropped;
  events_.on_dropped(way, message.topic, why);
  settle(now, from, message);
}

/// It ends here: its sender need not keep it.
void Relay::settle(TimePoint now, Side& from, const PublishView& message) {
  if (message.qos == QoS::at_most_once) return;
  if (message.qos == QoS::at_least_once)
    return answer(now, from, PacketType::puback, message.packet_id, ReasonCode::success);
  from.answered.insert(message.packet_id);
  answer(now, from, PacketType::pubrec, message.packet_id, ReasonCode::success);
}

void Relay::answer(TimePoint now, Side& to, PacketType type, PacketId id, ReasonCode reason) {
  // It fails only on a connection that is ending, and then all begins anew.
  if (to.session) (void)to.session->relay(now, type, id, reason);
}

void Relay::flow_from_local(TimePoint now, PacketType type, const AckView& ack) {
  const bool ends = type == PacketType::puback || type == PacketType::pubcomp ||
                    (type == PacketType::pubrec && is_error(ack.reason));
  pass_flow(now, local_, remote_, Way::in, type, ack);
  if (!ends) return;
  open_.erase(ack.packet_id);
  pass_held(now);
}

void Relay::flow_from_remote(TimePoint now, PacketType type, const AckView& ack) {
  if (type == PacketType::pubrel && !local_.session && !remote_.answered.contains(ack.packet_id))
    return held_releases_.push_back(ack.packet_id);
  pass_flow(now, remote_, local_, Way::out, type, ack);
}

/// `way` is that of the message that `from` answers; PUBREL, which it says as the sender, goes the other way.
void Relay::pass_flow(TimePoint now, Side& from, Side& to, Way way, PacketType type, const AckView& ack) {
  const PacketId id = ack.packet_id;
  if (type == PacketType::pubrel) {
    const bool ends_here = from.answered.erase(id) > 0 || maximum_qos(*to.session) < QoS::exactly_once;
    if (!ends_here) return answer(now, to, type, id, ack.reason);
    return answer(now, from, PacketType::pubcomp, id, ReasonCode::success);
  }
  if (is_error(ack.reason) && type != PacketType::pubcomp) {
    if (ack.reason == ReasonCode::quota_exceeded) return events_.on_no_room(way);
    ++counters_.refused;
    events_.on_refused(way, ack.reason);
  }
  const bool was_lowered = type == PacketType::puback && from.lowered.erase(id) > 0;
  if (!was_lowered) return answer(now, to, type, id, ack.reason);
  if (!is_error(ack.reason)) to.answered.insert(id);
  answer(now, to, PacketType::pubrec, id, ack.reason);
}

}  // namespace mqtt::bridge
