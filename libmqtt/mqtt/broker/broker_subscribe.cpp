// SUBSCRIBE and UNSUBSCRIBE.
#include <algorithm>
#include <utility>

#include <mqtt/broker/broker_state.hpp>
#include <mqtt/broker/topic_limits.hpp>
#include <mqtt/codec/topic.hpp>

namespace mqtt::broker {

/// A client whose Maximum Packet Size leaves no room for the answer would wait for it for ever.
void Broker::State::on_subscribe(Connection& connection, const SubscribeView& subscribe) {
  Session& session = *connection.session_;
  const std::uint32_t identifier = subscribe.properties.number_or(PropertyId::subscription_identifier, 0);
  std::string codes;
  for (const SubscriptionView& asked : subscribe.subscriptions) {
    const ReasonCode code = subscribe_one(session, asked, identifier);
    codes.push_back(static_cast<char>(code));
    services.events.on_subscribed(session.identity, asked.filter, code);
  }
  // The answer first, then the retained messages that the subscriptions bring.
  if (!connection.link_.suback(now, subscribe.packet_id, as_bytes(codes)))
    return want_close(connection, ReasonCode::implementation_specific_error);
  if (session.kept && !store_fails()) promise(connection);  // else all of it was refused
  pump(session);
}

ReasonCode Broker::State::subscribe_one(Session& session, const SubscriptionView& asked,
                                        std::uint32_t identifier) {
  if (const auto fault = find_subscribe_fault(session, asked.filter)) return *fault;
  SubscriptionView granted = asked;
  granted.options.qos = std::min(asked.options.qos, config.limits.maximum_qos);
  const auto [existed, position] = topics.subscribe(asked.filter, {session.id, granted.options, identifier});
  if (!existed) note_subscription(session, asked.filter, position);
  routes.end_matching(asked.filter);
  const bool shared = !split_shared(asked.filter).share_name.empty();
  const RetainHandling handling = granted.options.retain_handling;
  const bool replays =
      handling == RetainHandling::send || (handling == RetainHandling::send_if_new && !existed);
  if (replays) session.replays.end(position);      // it begins anew
  if (replays && !shared && retained.count() > 0)  // [MQTT-3.3.1-9]; a shared one has none (4.8.2)
    session.replays.begin(retained, asked.filter, position, granted.options, identifier);
  if (session.kept)
    services.store.on_subscribed(
        {session.id, granted, identifier, session.replays.contains(position), message_count});
  return static_cast<ReasonCode>(to_number(granted.options.qos));
}

/// A new one.
void Broker::State::note_subscription(Session& session, std::string_view filter,
                                      TopicTree::Position position) {
  Session::Subscriptions& subscriptions = session.subscriptions.make();
  const std::size_t weight = weight_of(filter);
  subscriptions.positions.insert(position);
  subscriptions.weight += weight;
  topics_weight += weight;
}

std::optional<ReasonCode> Broker::State::find_subscribe_fault(const Session& session,
                                                              std::string_view filter) {
  const auto [share_name, plain] = split_shared(filter);
  // At 5.0 these two end the connection before they come here; 3.1.1 has only a code for them.
  if (!share_name.empty() && !config.shared_available) return ReasonCode::shared_subscriptions_not_supported;
  if (has_wildcard(plain) && !config.wildcard_available)
    return ReasonCode::wildcard_subscriptions_not_supported;
  if (!fits(plain, config.limits)) return ReasonCode::topic_filter_invalid;
  if ((session.kept && store_fails()) ||
      (!topics.find(filter, session.id) && !has_room_to_subscribe(session, filter)))
    return ReasonCode::quota_exceeded;
  return services.access.find_subscribe_fault(session.identity, plain);
}

/// For one subscription more, of the client and of all: by number, and by what they weigh.
bool Broker::State::has_room_to_subscribe(const Session& session, std::string_view filter) const {
  const Limits& limits = config.limits;
  const std::size_t weight = weight_of(filter);
  return session.subscriptions->positions.size() < limits.subscriptions_per_client &&
         topics.size() < limits.subscriptions &&
         session.subscriptions->weight + weight <= weight_max(limits, limits.subscriptions_per_client) &&
         topics_weight + weight <= weight_max(limits, limits.subscriptions);
}

void Broker::State::on_unsubscribe(Connection& connection, const UnsubscribeView& unsubscribe) {
  Session& session = *connection.session_;
  leave_groups(session, find_groups(session, unsubscribe), Leaving::unsubscribed);
  std::string codes;
  for (const SubscriptionView& asked : unsubscribe.filters) {
    const auto position = topics.position_of(asked.filter);
    const bool existed = position && topics.find(*position, session.id);
    if (existed) {
      topics.remove(*position, session.id);
      routes.end_matching(asked.filter);
      Session::Subscriptions& subscriptions = session.subscriptions.make();
      const std::size_t weight = weight_of(asked.filter);
      subscriptions.positions.erase(*position);
      subscriptions.weight -= weight;
      topics_weight -= weight;
      session.replays.end(*position);  // [MQTT-3.10.4-2]
      if (session.kept) services.store.on_unsubscribed(session.id, asked.filter);
    }
    codes.push_back(static_cast<char>(existed ? ReasonCode::success : ReasonCode::no_subscription_existed));
    services.events.on_unsubscribed(session.identity, asked.filter);
  }
  if (session.kept) promise(connection);
  if (!connection.link_.unsuback(now, unsubscribe.packet_id, as_bytes(codes)))
    want_close(connection, ReasonCode::implementation_specific_error);
}

}  // namespace mqtt::broker
