// What the store is told of, and what becomes of what it gives back.
//
// It keeps sessions that outlive their connection, and all of them. Of the others it knows as much as a
// broker that was killed owes to somebody else: a Will, and messages that came by a shared subscription,
// which another member gets once the session is over.
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include <mqtt/broker/broker_state.hpp>
#include <mqtt/codec/topic.hpp>

namespace mqtt::broker {

/// Of a new session, or after a change.
void Broker::State::tell(Session& session) {
  if (!durable || !(session.told || session.kept || session.will)) return;
  session.told = true;
  services.store.on_session({.id = session.id,
                             .client_id = session.client_id(),
                             .user = *session.identity.user,
                             .version = session.version,
                             .expiry_interval = session.expiry_interval,
                             .connected = session.connection != nullptr || ending,
                             .ends_at = session.absence->ends_at,
                             .will = session.will.get(),
                             .will_at = session.absence->will_at});
}

bool Broker::State::is_kept(const Session& session, const Manner& manner) const {
  return manner.qos > QoS::at_most_once && (session.kept || (durable && manner.shared));
}

/// What `session` is to get: `id` 0, it waits.
void Broker::State::keep(Session& session, Delivery& delivery, PacketId id) {
  if (!is_kept(session, {{}, delivery.shared, delivery.qos, delivery.retain})) return;
  if (id != 0) promise(*session.connection);
  if (delivery.row != 0) return services.store.on_sent(session.id, delivery.row, delivery.message, id);
  if (!session.told) {
    session.told = true;
    tell(session);
  }
  delivery.row = ++row_count;
  const std::string share = delivery.shared ? topics.filter_of(*delivery.shared) : std::string{};
  services.store.on_delivery({.row = delivery.row,
                              .session = session.id,
                              .message = delivery.message,
                              .identifiers = delivery.identifiers,
                              .share = share,
                              .qos = delivery.qos,
                              .retain = delivery.retain,
                              .packet_id = id});
}

/// It has left a queue and is not sent.
void Broker::State::give_up(Delivery& delivery) {
  if (delivery.row == 0) return;
  services.store.on_given_up(std::exchange(delivery.row, 0), delivery.message);
}

/// The connection's output tells of something that was done in this turn.
void Broker::State::promise(Connection& connection) {
  if (!durable || connection.promised_) return;
  connection.promised_ = true;
  promised.push_back(&connection);
}

Result<void> Broker::State::commit() {
  if (!durable) return {};
  const bool can_wait = promised.empty() && !will_withdrawn;
  auto committed = services.store.commit(now, can_wait ? Urgency::may_wait : Urgency::promised);
  if (committed) {
    will_withdrawn = false;
    for (Connection* const connection : promised) connection->promised_ = false;
    promised.clear();
  }
  const bool fails = store_fails();
  if (std::exchange(store_failed, fails) && !fails)  // what waited for it can be sent
    for (const auto& connection : connections) mark_ready(*connection);
  return committed;
}

namespace {

std::unexpected<Error> impossible(std::string what) {
  return fail(ErrorDomain::system, EBADMSG, std::move(what));
}

}  // namespace

/// A broker that takes up what another has left.
struct Broker::State::Recoverer final : Recovery {
  explicit Recoverer(State& broker_state) : state{broker_state} {}

  void on_publisher_key(SipKey key) override { state.publisher_key = key; }
  SipKey publisher_key() const override { return state.publisher_key; }

  Result<SubscriberId> on_session(const SessionRecord& record) override {
    if (state.sessions.find(record.client_id)) return impossible("there are two sessions of this client id");
    Session& session = state.sessions.add(std::string{record.client_id});
    if (!record.user.empty()) session.identity.user.make() = record.user;
    session.version = record.version;
    session.expiry_interval = record.expiry_interval;
    session.kept = record.expiry_interval > 0;
    session.told = true;
    if (record.will) session.will = std::make_unique<Will>(*record.will);
    set_times(session, record);
    state.arm(session);
    return session.id;
  }

  /// The connections of a killed broker ended with it, and without DISCONNECT (3.1.2.5). What time has passed
  /// since is not known.
  void set_times(Session& session, const SessionRecord& record) {
    const std::chrono::seconds expiry{record.expiry_interval};
    if (record.will)
      session.absence.make().will_at =
          record.connected ? state.now + std::min(std::chrono::seconds{record.will->delay}, expiry)
                           : record.will_at.value_or(state.now);
    if (record.expiry_interval != never_expires)
      session.absence.make().ends_at =
          record.connected ? state.now + expiry : record.ends_at.value_or(state.now);
    if (record.connected && session.kept) state.await(session);
  }

  /// Retained messages that were on their way begin anew, but for those of QoS 2 that were sent: of the
  /// others, sent twice is better than not sent.
  Result<void> on_subscribed(const SubscriptionRecord& record) override {
    Session& session = state.sessions.at(record.session);
    const auto& [filter, options] = record.subscription;
    const auto [existed, position] =
        state.topics.subscribe(filter, {record.session, options, record.identifier});
    if (existed) return impossible("there are two subscriptions to the same filter");
    state.note_subscription(session, filter, position);
    if (!record.replays || !split_shared(filter).share_name.empty()) return {};
    session.replays.begin(state.retained, filter, position, options, record.identifier);
    if (record.replays_until == 0) return {};
    session.replays.find(position)->until = record.replays_until;
    // So that no later message gets the number of one that it is told from.
    state.message_count = std::max(state.message_count, record.replays_until);
    return {};
  }

  Result<void> on_replay_sent(SubscriberId session, std::string_view filter, std::uint64_t message) override {
    const auto position = state.topics.position_of(filter);
    Replay* const replay = position ? state.sessions.at(session).replays.find(*position) : nullptr;
    if (!replay) return impossible("no retained messages are on their way there");
    replay->sent.insert(message);
    return {};
  }

  Result<void> on_received(SubscriberId id, PacketId packet_id) override {
    ReceivedIds& incoming = flows_of(state.sessions.at(id)).incoming;
    if (incoming.find(packet_id))
      return impossible("there are two received messages of the same packet identifier");
    incoming.put(packet_id, {.stage = ReceivedIds::Stage::recorded});
    return {};
  }

  MessagePtr make_message(const PublishView& publish, Deadline expires, std::uint64_t publisher,
                          std::uint64_t number) override {
    state.message_count = std::max(state.message_count, number);
    return std::make_shared<const Message>(publish, expires, publisher, number, state.message_account);
  }

  void on_retained(const MessagePtr& message) override { state.set_retained(message); }

  Result<void> on_delivery(const DeliveryRecord& record) override {
    Session& session = state.sessions.at(record.session);
    state.row_count = std::max(state.row_count, record.row);
    Delivery delivery{.message = record.message,
                      .identifiers = {record.identifiers.begin(), record.identifiers.end()},
                      .shared = position_of(session, record.share),
                      .qos = record.qos,
                      .retain = record.retain,
                      .row = record.row};
    // Of a session that is over: others get it.
    if (delivery.shared && !session.kept) session.subscriptions.make().positions.insert(*delivery.shared);
    if (record.packet_id != 0) return put_in_flight(session, record.packet_id, std::move(delivery));
    state.push(session, std::move(delivery));
    return {};
  }

  /// Of the group that another member may get it by; a session that stays and has left the group keeps it.
  std::optional<TopicTree::Position> position_of(const Session& session, std::string_view share) const {
    if (share.empty()) return std::nullopt;
    const auto position = state.topics.position_of(share);
    if (!position || !state.topics.group_at(*position)) return std::nullopt;
    return !session.kept || state.topics.find(*position, session.id) ? position : std::nullopt;
  }

  Result<void> put_in_flight(Session& session, PacketId id, Delivery delivery) {
    SessionState& flows = flows_of(session);
    if (flows.outgoing.contains(id))
      return impossible("there are two messages in flight of the same packet identifier");
    PublishView publish;
    publish.qos = delivery.qos;
    publish.retain = delivery.retain;
    if (!delivery.message) {
      flows.outgoing.add(id, publish, {});
      flows.outgoing.mark_sent(id);
      flows.outgoing.release(id, ReasonCode::success);
    } else {
      const Outbound outbound = mqtt::broker::outbound_of(delivery.message);
      publish.topic = outbound.topic;
      if (session.version == Version::v5)
        publish.properties = state.outgoing_properties(
            outbound, {delivery.identifiers, delivery.shared, delivery.qos, delivery.retain});
      flows.outgoing.add(id, publish, outbound.payload, outbound.expires);
      flows.outgoing.mark_sent(id);
    }
    flows.next_id = static_cast<PacketId>(id + 1);
    if (delivery.message && delivery.shared && delivery.qos == QoS::at_least_once)
      session.in_flight.make().shared.insert_or_assign(id, std::move(delivery));
    state.recount(session);
    return {};
  }

  static SessionState& flows_of(Session& session) {
    auto& flows = session.absence.make().state;
    if (!flows) flows = std::make_unique<SessionState>();
    return *flows;
  }

  State& state;
};

Result<void> Broker::State::recover() {
  Recoverer recoverer{*this};
  if (auto recovered = services.store.recover(now, recoverer); !recovered) return recovered;
  std::vector<Session*> over;
  sessions.for_each([&](Session& session) {
    session.queue.put_in_order();
    if (!session.kept) over.push_back(&session);
  });
  for (Session* const session : over) end_session(*session);
  finish();
  return {};
}

}  // namespace mqtt::broker
