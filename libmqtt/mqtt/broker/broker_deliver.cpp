// One client's messages out: at once, or from its queue.
#include <algorithm>
#include <utility>

#include <mqtt/broker/broker_state.hpp>
#include <mqtt/session/message_expiry.hpp>
#include <mqtt/util/chunk.hpp>

namespace mqtt::broker {
namespace {

/// Nodes of the retained tree to walk for one client at a time: about a millisecond. A filter such as
/// "+/+/none" may have to look at all of them.
constexpr std::size_t replay_steps = 20'000;

Delivery delivery_of(const MessagePtr& message, const Manner& manner) {
  return {message,
          {manner.identifiers.begin(), manner.identifiers.end()},
          manner.shared,
          manner.qos,
          manner.retain};
}

Manner manner_of(const Delivery& delivery) {
  return {delivery.identifiers, delivery.shared, delivery.qos, delivery.retain};
}

}  // namespace

/// Without a Message where the bytes can go straight from the publisher's packet into the receiver's.
Outbound Broker::State::outbound_of(Incoming& incoming) {
  const PublishView& publish = incoming.publish;
  if (incoming.message || incoming.expires || !publish.properties.empty() ||
      publish.payload.size() >= OutBuffer::reference_from_bytes)
    return mqtt::broker::outbound_of(message_of(incoming));
  return {publish.topic, {}, {}, {publish.payload, nullptr}};
}

void Broker::State::deliver(Session& session, Incoming& incoming, const Manner& manner) {
  if (!services.access.may_receive(session.identity, incoming.publish.topic))
    return drop(session, DropReason::not_authorized);
  if (!can_send_now(session, manner.qos))
    return enqueue(session, delivery_of(message_of(incoming), manner), incoming.connection);
  if (is_kept(session, manner)) return send(session, delivery_of(message_of(incoming), manner));
  const PacketId id = send(session, outbound_of(incoming), manner);
  if (id != 0 && manner.shared && manner.qos == QoS::at_least_once)
    keep_shared(session, id, delivery_of(message_of(incoming), manner));
}

void Broker::State::deliver(Session& session, Delivery delivery) {
  if (!services.access.may_receive(session.identity, delivery.message->topic()))
    return drop(session, DropReason::not_authorized);
  if (can_send_now(session, delivery.qos)) return send(session, std::move(delivery));
  enqueue(session, std::move(delivery), nullptr);
}

bool Broker::State::can_send_now(const Session& session, QoS qos) const {
  if (!session.connection || !session.queue.empty()) return false;
  ServerSession& link = session.connection->link_;
  return link.connected() && link.output().size() < backlog_max() &&
         (qos == QoS::at_most_once || has_quota(session));
}

/// Whether one more QoS 1 or 2 message may be in flight: by number, and by what has to be kept of them. Its
/// client must be there.
bool Broker::State::has_quota(const Session& session) const {
  const ServerSession& link = session.connection->link_;
  return link.send_quota() > 0 && link.in_flight_bytes() < in_flight_max() &&
         !(session.told && store_fails());
}

/// 0 for QoS 0, and if the client cannot take it.
PacketId Broker::State::send(Session& session, const Outbound& outbound, const Manner& manner) {
  PublishView publish;
  publish.topic = outbound.topic;
  publish.qos = manner.qos;
  publish.retain = manner.retain;
  if (session.version == Version::v5) publish.properties = outgoing_properties(outbound, manner);
  const auto id = session.connection->link_.deliver(now, publish, outbound.payload, outbound.expires);
  if (!id) {
    drop(session, DropReason::too_large);
    return 0;
  }
  ++counters.messages_sent;
  counters.payload_bytes_sent += outbound.payload.bytes.size();
  if (*id != 0) recount(session);
  session.connection->messages_end_ = session.connection->output().size();
  mark_ready(*session.connection);
  return *id;
}

PropertiesView Broker::State::outgoing_properties(const Outbound& outbound, const Manner& manner) {
  if (!outbound.expires && manner.identifiers.empty()) return outbound.properties;
  scratch = Properties{outbound.properties};
  if (outbound.expires)  // less the time that it waited here [MQTT-3.3.2-6]
    scratch.add(PropertyId::message_expiry_interval, seconds_left(*outbound.expires, now));
  for (const std::uint32_t identifier : manner.identifiers)
    scratch.add(PropertyId::subscription_identifier, identifier);
  return scratch;
}

void Broker::State::send(Session& session, Delivery delivery) {
  const PacketId id = send(session, mqtt::broker::outbound_of(delivery.message), manner_of(delivery));
  if (id == 0)
    give_up(delivery);
  else
    keep(session, delivery, id);
  if (id != 0 && delivery.shared && delivery.qos == QoS::at_least_once)
    keep_shared(session, id, std::move(delivery));
}

/// Until it is acknowledged: the session may end before that.
void Broker::State::keep_shared(Session& session, PacketId id, Delivery delivery) {
  session.in_flight.make().shared.insert_or_assign(id, std::move(delivery));
  recount(session);
}

void Broker::State::enqueue(Session& session, Delivery delivery, Connection* publisher) {
  const bool here = session.connection && session.connection->link_.connected();
  if (!here && delivery.qos == QoS::at_most_once) return drop(session, DropReason::offline);
  if (!make_room(session, delivery)) return;
  const QoS qos = delivery.qos;
  keep(session, delivery, 0);
  push(session, std::move(delivery));
  if (here || is_expected(session)) note_queued(session, publisher, qos);
}

void Broker::State::push(Session& session, Delivery delivery) {
  ++counters.queued_messages;
  counters.queued_bytes += delivery.size_bytes();
  queue_places_bytes += delivery.own_bytes();
  session.queue.push(std::move(delivery));
}

/// What has expired goes first, then QoS 0. What else does not fit is dropped too, unless the client is
/// reading: then those who publish are made to wait, and what they had under way is still taken. Where all
/// have to wait (SlowConsumer::stall) QoS 0 has no need to go.
bool Broker::State::make_room(Session& session, const Delivery& delivery) {
  while (true) {
    const auto fault = find_room_fault(session, delivery);
    if (!fault) return true;
    if (drop_expired(session)) continue;
    const bool fits = *fault == DropReason::queue_full && may_exceed(session, delivery);
    if (fits && config.slow_consumer == SlowConsumer::stall) return true;
    const auto evicted =
        delivery.qos > QoS::at_most_once ? session.queue.take_qos_0() : std::optional<Delivery>{};
    if (fits && !evicted) return true;
    drop(session, *fault);
    if (!evicted) return false;
    uncount(*evicted);
  }
}

/// Which bound `delivery` would exceed. Who is not there, does not read, or is behind with what nobody waits
/// for has half of all memory at most, and what nobody waits for three quarters: the rest is for those whose
/// publishers wait when it gets short.
std::optional<DropReason> Broker::State::find_room_fault(const Session& session,
                                                         const Delivery& delivery) const {
  const Limits& limits = config.limits;
  const bool waited_for = is_waited_for(delivery);
  const bool moves = reads(session) && (session.reading == Reading::keeps_up || waited_for);
  const std::size_t quarters = !moves ? 2 : waited_for ? 4 : 3;
  if (memory() + delivery.own_bytes() > limits.memory / 4 * quarters) return DropReason::memory_full;
  const bool full = session.queue.size() >= limits.queued_messages ||
                    session.queue.bytes() + delivery.size_bytes() > limits.queued_bytes;
  return full ? std::optional{DropReason::queue_full} : std::nullopt;
}

bool Broker::State::drop_expired(Session& session) {
  auto expired = session.queue.take_expired(now);
  for (Delivery& delivery : expired) {
    uncount(delivery);
    give_up(delivery);
    drop(session, DropReason::expired);
  }
  return !expired.empty();
}

void Broker::State::uncount(const Delivery& delivery) {
  --counters.queued_messages;
  counters.queued_bytes -= delivery.size_bytes();
  queue_places_bytes -= delivery.own_bytes();
}

Delivery Broker::State::dequeue(Session& session) {
  Delivery delivery = session.queue.pop();
  uncount(delivery);
  return delivery;
}

/// Sends what waits for the client, as much as it takes now.
void Broker::State::pump(Session& session) {
  if (session.queue.empty() && session.replays.empty()) return;
  bool progress = false;
  std::size_t steps = replay_steps;
  while (session.connection) {
    ServerSession& link = session.connection->link_;
    if (!link.connected() || link.output().size() >= backlog_max()) break;
    // In turn, so that neither a long replay nor a busy topic keeps the other waiting.
    const bool replayed = pump_replay(session, steps);
    const bool dequeued = pump_queue(session);
    progress |= dequeued;
    if (!replayed && !dequeued) break;
  }
  if (progress) note_progress(session);
  // The walk goes on when others have had their turn: on_ready() brings serviced(), and that this.
  if (steps == 0 && session.connection) mark_ready(*session.connection);
}

/// The next retained message of a new subscription; false if there is none, or it has to wait. Takes what
/// it walks off `steps`.
bool Broker::State::pump_replay(Session& session, std::size_t& steps) {
  if (session.replays.empty() || steps == 0) return false;
  Replay& replay = session.replays.front();
  if (replay.options.qos > QoS::at_most_once && !has_quota(session)) return false;
  const MessagePtr message = replay.cursor.next(steps);
  if (!message && !replay.cursor.done()) return false;
  if (!message) {
    if (session.kept) services.store.on_replayed(session.id, topics.filter_of(replay.position));
    session.replays.pop_front();
    return true;
  }
  const bool own = replay.options.no_local && message->publisher() == tag_of(session.client_id());
  if (own || !replay.is_due(*message) || message->expired(now) ||
      !services.access.may_receive(session.identity, message->topic()))
    return true;
  const std::span<const std::uint32_t> identifiers{&replay.identifier, replay.identifier != 0 ? 1u : 0u};
  const Manner manner{identifiers, {}, std::min(message->qos(), replay.options.qos), true};
  if (!is_kept(session, manner)) {
    send(session, mqtt::broker::outbound_of(message), manner);
    return true;
  }
  send(session, delivery_of(message, manner));
  if (manner.qos == QoS::exactly_once)
    services.store.on_replay_sent(session.id, topics.filter_of(replay.position), message->number());
  return true;
}

bool Broker::State::pump_queue(Session& session) {
  if (session.queue.empty()) return false;
  const bool expired = session.queue.front().message->expired(now);
  const bool needs_quota = session.queue.front().qos > QoS::at_most_once;
  if (!expired && needs_quota && !has_quota(session)) return false;
  Delivery delivery = dequeue(session);
  const bool allowed = expired || services.access.may_receive(session.identity, delivery.message->topic());
  if (!expired && allowed) {
    send(session, std::move(delivery));
    return true;
  }
  give_up(delivery);
  drop(session, expired ? DropReason::expired : DropReason::not_authorized);
  return true;
}

void Broker::State::on_published(Connection& connection, PacketId id, ReasonCode reason) {
  if (!connection.session_) return;
  Session& session = *connection.session_;
  // Resumed with a smaller Maximum Packet Size than the message was first sent with.
  if (reason == ReasonCode::packet_too_large) drop(session, DropReason::too_large);
  if (!session.in_flight->shared.empty()) session.in_flight.make().shared.erase(id);
  if (session.told) services.store.on_finished(session.id, id);
  pump(session);
}

/// PUBREC has come: PUBREL tells the client to forget the packet identifier, and must not be followed by the
/// message.
void Broker::State::on_taken_over(Connection& connection, PacketId id) {
  const Session* const session = connection.session_;
  if (!session || !session->told) return;
  services.store.on_taken_over(session->id, id);
  promise(connection);
}

void Broker::State::drop(Session& session, DropReason reason, std::uint64_t count) {
  drop(reason, count);
  if (!session.drops) session.drops = std::make_unique<Session::Drops>();
  session.drops->untold[static_cast<std::size_t>(reason)] += count;
  if (session.drops->tell_at) return;
  tell_drops(session);
  session.drops->tell_at = now + drop_event_interval;
  arm(session);
}

void Broker::State::tell_drops(Session& session) {
  if (!session.drops) return;
  for (std::size_t place = 0; place < drop_reasons; ++place)
    if (const auto count = std::exchange(session.drops->untold[place], 0))
      services.events.on_dropped(session.client_id(), static_cast<DropReason>(place), count);
}

}  // namespace mqtt::broker
