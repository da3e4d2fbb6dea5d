// Routing: from one publisher to everybody who is to have it.
#include <algorithm>
#include <chrono>
#include <utility>

#include <mqtt/broker/broker_state.hpp>
#include <mqtt/broker/topic_limits.hpp>

namespace mqtt::broker {

void Broker::State::on_message(Connection& connection, const PublishView& publish, AckToken token) {
  ++counters.messages_received;
  counters.payload_bytes_received += publish.payload.size();
  const Session& session = *connection.session_;
  services.events.on_published(session.identity, publish);
  if (const auto fault = find_publish_fault(session, publish))
    return refuse_publish(connection, token, *fault);
  if (publish.qos > QoS::at_most_once && store_fails()) return refuse_unkept(connection, token);
  Incoming incoming{.publish = publish, .publisher = session.id, .connection = &connection};
  if (const auto expiry = publish.properties.number(PropertyId::message_expiry_interval))
    incoming.expires = now + std::chrono::seconds{*expiry};
  if (publish.retain && config.retain_available) retain(incoming);
  const bool reached = route(incoming) > 0;
  if (publish.qos > QoS::at_most_once) promise(connection);
  if (publish.qos == QoS::exactly_once && session.kept) services.store.on_received(session.id, token.id);
  acknowledge(connection, token, reached ? ReasonCode::success : ReasonCode::no_matching_subscribers);
}

std::optional<ReasonCode> Broker::State::find_publish_fault(const Session& session,
                                                            const PublishView& publish) {
  if (!fits(publish.topic, config.limits)) return ReasonCode::topic_name_invalid;
  if (is_brokers_own(publish.topic)) return ReasonCode::not_authorized;
  if (const auto fault = services.access.find_publish_fault(session.identity, publish.topic)) return fault;
  const bool can_be_told = session.version == Version::v5 && publish.qos > QoS::at_most_once;
  if (can_be_told && publish.retain && !has_room_to_retain(publish)) return ReasonCode::quota_exceeded;
  return std::nullopt;
}

/// 5.0 has a code for it; before that the message goes nowhere, or the client goes [MQTT-3.3.5-2].
void Broker::State::refuse_publish(Connection& connection, AckToken token, ReasonCode reason) {
  drop(DropReason::publish_refused);
  if (connection.link_.version() != Version::v5 && config.disconnect_refused_publisher)
    return turn_away(connection, token, reason);
  acknowledge(connection, token, reason);
}

/// What cannot be kept now must not be acknowledged as if it were: the client is to send it again.
void Broker::State::refuse_unkept(Connection& connection, AckToken token) {
  drop(DropReason::publish_refused);
  if (connection.link_.version() != Version::v5)
    return turn_away(connection, token, ReasonCode::quota_exceeded);
  acknowledge(connection, token, ReasonCode::quota_exceeded);
}

/// Without an answer to the message: a session that goes on must not wait for one.
void Broker::State::turn_away(Connection& connection, AckToken token, ReasonCode reason) {
  connection.link_.disown(token);
  want_close(connection, reason);
}

/// PUBREL has come: PUBCOMP lets the client use the id for another message.
void Broker::State::on_released(Connection& connection, PacketId id) {
  const Session* const session = connection.session_;
  if (!session || !session->kept) return;
  services.store.on_released(session->id, id);
  promise(connection);
}

/// Makes the message that outlives the call, the first time that somebody has to keep it.
const MessagePtr& Broker::State::message_of(Incoming& incoming) {
  if (!incoming.message)
    incoming.message = std::make_shared<const Message>(incoming.publish, incoming.expires,
                                                       tag_of(sessions.at(incoming.publisher).client_id()),
                                                       ++message_count, message_account);
  return incoming.message;
}

std::size_t Broker::State::route(Incoming& incoming) {
  find_receivers(incoming);
  // In flight to one it is a copy; to many, a reference each.
  if (incoming.publish.qos > QoS::at_most_once && match_count > 1) (void)message_of(incoming);
  for (std::size_t i = 0; i < match_count; ++i) {
    const Match& match = matches[i];
    const bool retain = match.retain_as_published && incoming.publish.retain;
    deliver(*match.session, incoming,
            {match.identifiers, {}, std::min(incoming.publish.qos, match.qos), retain});
  }
  for (ShareGroup* const group : group_matches) deliver_to_group(incoming, *group);
  return match_count + group_matches.size();
}

/// Fills matches and group_matches. Overlapping subscriptions of one client become one delivery at
/// their highest QoS, with the identifiers of all [MQTT-3.3.4-2] [MQTT-3.3.4-3].
void Broker::State::find_receivers(const Incoming& incoming) {
  struct Visitor {
    State& state;
    const Incoming& incoming;
    void operator()(const Subscription& subscription) const {
      if (subscription.options.no_local && subscription.subscriber == incoming.publisher) return;
      state.add_match(subscription);
    }
    void operator()(ShareGroup& group) const { state.group_matches.push_back(&group); }
  };
  ++match_number;
  match_count = 0;
  group_matches.clear();
  topics.match(incoming.publish.topic, Visitor{*this, incoming});
}

void Broker::State::add_match(const Subscription& subscription) {
  Session& session = sessions.at(subscription.subscriber);
  if (session.match != match_number) {
    session.match = match_number;
    session.match_place = static_cast<std::uint32_t>(match_count++);
    if (matches.size() < match_count) matches.emplace_back();
    Match& match = matches[session.match_place];
    match.session = &session;
    match.qos = QoS::at_most_once;
    match.retain_as_published = false;
    match.identifiers.clear();
  }
  Match& match = matches[session.match_place];
  match.qos = std::max(match.qos, subscription.options.qos);
  match.retain_as_published |= subscription.options.retain_as_published;
  if (subscription.identifier != 0) match.identifiers.push_back(subscription.identifier);
}

}  // namespace mqtt::broker
