// Shared subscriptions: which member gets a message, and what becomes of it when that one leaves.
#include <algorithm>
#include <set>
#include <utility>

#include <mqtt/broker/broker_state.hpp>
#include <mqtt/codec/topic.hpp>

namespace mqtt::broker {

void Broker::State::deliver_to_group(Incoming& incoming, ShareGroup& group) {
  const Subscription* const member =
      pick_member(group.members(), group.next_start(), incoming.publish.qos, nullptr);
  if (!member) return;
  const bool retain = member->options.retain_as_published && incoming.publish.retain;
  const std::span<const std::uint32_t> identifiers{&member->identifier, member->identifier != 0 ? 1u : 0u};
  deliver(
      sessions.at(member->subscriber), incoming,
      {identifiers, topics.position_of(group), std::min(incoming.publish.qos, member->options.qos), retain});
}

/// The member whose turn it is, or the next one that is better off: one that can take the message now
/// before one that is connected, that before one that has stopped reading or is away, and last one for
/// which nothing is kept while it is away.
const Subscription* Broker::State::pick_member(std::span<const Subscription> members, std::size_t turn,
                                               QoS qos, const Session* except) const {
  constexpr int best_possible = 3;
  const auto rank = [&](const Session& session, QoS granted) {
    if (can_send_now(session, granted)) return best_possible;
    const bool here = session.connection && session.connection->link_.connected();
    if (here && session.reading != Reading::stopped) return 2;
    return here || granted > QoS::at_most_once ? 1 : 0;
  };
  const Subscription* best = nullptr;
  int best_rank = -1;
  for (std::size_t i = 0; i < members.size() && best_rank < best_possible; ++i) {
    const Subscription& member = members[(turn + i) % members.size()];
    const Session& session = sessions.at(member.subscriber);
    const int its_rank = rank(session, std::min(qos, member.options.qos));
    if (&session == except || its_rank <= best_rank) continue;
    best = &member;
    best_rank = its_rank;
  }
  return best;
}

/// The shared subscriptions among those that `session` gives up.
std::set<TopicTree::Position> Broker::State::find_groups(const Session& session,
                                                         const UnsubscribeView& unsubscribe) const {
  std::set<TopicTree::Position> groups;
  for (const SubscriptionView& asked : unsubscribe.filters) {
    if (split_shared(asked.filter).share_name.empty()) continue;
    const auto position = topics.position_of(asked.filter);
    if (position && topics.find(*position, session.id)) groups.insert(*position);
  }
  return groups;
}

/// Before `session` gives up the shared subscriptions in `groups`: what waits for it goes to their other
/// members. So does what it has not acknowledged if the session ends; else that is its own from now on
/// [MQTT-3.10.4-3].
void Broker::State::leave_groups(Session& session, const std::set<TopicTree::Position>& groups,
                                 Leaving leaving) {
  if (groups.empty()) return;
  std::vector<Delivery> freed = session.queue.take_shared(groups);
  for (Delivery& delivery : freed) {
    uncount(delivery);
    give_up(delivery);
  }
  if (session.in_flight)
    std::erase_if(session.in_flight.make().shared, [&](auto& sent) {
      if (!groups.contains(*sent.second.shared)) return false;
      if (leaving != Leaving::for_good) return true;
      freed.push_back(sent.second);
      freed.back().row = 0;  // its row is that of the packet identifier, and ends with the session
      return true;
    });
  if (is_short(session)) note_gone(session);
  std::ranges::sort(freed, comes_before);
  redistribute(session, std::move(freed));
}

/// Gives what `leaving` was to have to other members of the same groups (4.8.2), to each of them before
/// what is newer and still waits.
void Broker::State::redistribute(Session& leaving, std::vector<Delivery> deliveries) {
  std::set<Session*> receivers;
  for (Delivery& delivery : deliveries)
    if (Session* const receiver = redistribute(leaving, std::move(delivery))) receivers.insert(receiver);
  for (Session* const receiver : receivers) receiver->queue.put_in_order();
}

/// To whom; null if nobody is to have it.
Session* Broker::State::redistribute(Session& leaving, Delivery delivery) {
  const Message& message = *delivery.message;
  const auto dropped = [&](DropReason reason) -> Session* {
    drop(leaving, reason);
    return nullptr;
  };
  if (message.expired(now)) return dropped(DropReason::expired);
  ShareGroup& group = *topics.group_at(*delivery.shared);
  const Subscription* const member =
      pick_member(group.members(), group.next_start(), message.qos(), &leaving);
  if (!member) return dropped(DropReason::no_member);
  Session& receiver = sessions.at(member->subscriber);
  delivery.qos = std::min(message.qos(), member->options.qos);
  delivery.retain = message.retain() && member->options.retain_as_published;
  delivery.identifiers.assign(member->identifier != 0 ? 1 : 0, member->identifier);
  deliver(receiver, std::move(delivery));
  return &receiver;
}

}  // namespace mqtt::broker
