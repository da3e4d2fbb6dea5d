#include <mqtt/broker/broker.hpp>

#include <algorithm>
#include <utility>

#include <mqtt/broker/broker_state.hpp>

namespace mqtt::broker {
Broker::Broker(ChunkPool& pool, BrokerConfig config, BrokerServices services, SipKey secret)
    : state_{std::make_unique<State>(*this, pool, std::move(config), services, secret)} {}

Broker::~Broker() = default;

Connection& Broker::open(TimePoint now, ConnectionOwner& owner, ConnectionInfo info) {
  state_->now = now;
  auto& connections = state_->connections;
  connections.push_back(
      std::make_unique<Connection>(*this, owner, std::move(info), state_->pool, now, state_->session_config));
  Connection& connection = *connections.back();
  connection.place_ = static_cast<std::uint32_t>(connections.size() - 1);
  ++state_->counters.connections;
  ++state_->counters.sockets;
  state_->settle(connection);
  return connection;
}

void Broker::receive(TimePoint now, Connection& connection, Bytes bytes) {
  state_->now = now;
  state_->counters.bytes_received += bytes.size();
  connection.link_.receive(now, bytes, connection);
  state_->settle(connection);
  state_->bound_input(connection);
  state_->finish();
}

void Broker::note_sent(Connection* connection, std::size_t size_bytes) {
  state_->counters.bytes_sent += size_bytes;
  if (connection) connection->messages_end_ -= std::min(connection->messages_end_, size_bytes);
}

void Broker::on_written(TimePoint now, Connection& connection) {
  state_->now = now;
  // Part of a backlog has gone: over a slow line one large message takes longer than the grace.
  if (connection.session_ && !connection.output().empty()) state_->note_progress(*connection.session_);
  state_->finish();
}

void Broker::serviced(TimePoint now, Connection& connection) {
  state_->now = now;
  connection.announced_ready_ = false;
  if (connection.session_) state_->pump(*connection.session_);
  state_->finish();
}

void Broker::on_reading_stopped(Connection& connection) {
  connection.unheard_ = true;
  state_->connection_timers.cancel(connection);
}

void Broker::on_reading_resumed(TimePoint now, Connection& connection) {
  state_->now = now;
  connection.unheard_ = false;
  connection.link_.restart_keep_alive(now);
  state_->settle(connection);
  state_->finish();
}

std::optional<Route> Broker::find_route(TimePoint now, Connection& publisher, std::string_view topic) {
  state_->now = now;
  return state_->find_route(publisher, topic);
}

void Broker::note_routed(const RoutedCounts& counts) { state_->note_routed(counts); }

void Broker::note_dropped(TimePoint now, Connection* connection, const RoutedCounts& dropped) {
  state_->now = now;
  state_->note_dropped(connection ? connection->session_ : nullptr, dropped);
}

void Broker::note_heard(Connection& connection, TimePoint when) { connection.link_.restart_keep_alive(when); }

void Broker::end_routes() { state_->routes.end_all(); }

void Broker::close(TimePoint now, Connection& connection) {
  State& state = *state_;
  state.now = now;
  connection.link_.on_transport_closed(now);
  state.detach(connection);
  state.forget(connection);
  state.finish();
}

void Broker::on_time(TimePoint now) {
  State& state = *state_;
  state.now = now;
  while (Connection* due = state.connection_timers.take_due(now)) state.on_connection_time(*due);
  state.end_due_logins();
  while (Session* due = state.session_timers.take_due(now)) state.on_session_time(*due);
  while (RetainedExpiry* due = state.retained_timers.take_due(now)) state.on_retained_time(*due);
  if (state.status.due && *state.status.due <= now) state.tell_status();
  state.finish();
}

Deadline Broker::next_deadline() const {
  const auto& ends = state_->login_ends;
  const Deadline login_end = ends.empty() ? Deadline{} : Deadline{ends.begin()->first};
  return earlier(login_end, next_of_timers());
}

Deadline Broker::next_of_timers() const {
  return earlier(
      earlier(state_->connection_timers.next(), state_->services.store.next_deadline()),
      earlier(earlier(state_->session_timers.next(), state_->retained_timers.next()), state_->status.due));
}

std::optional<AuthWork> Broker::take_auth_work(TimePoint now) {
  state_->now = now;
  auto work = state_->take_auth_work();
  state_->finish();
  return work;
}

void Broker::decide(TimePoint now, std::uint64_t ticket, AuthDecision decision) {
  state_->now = now;
  state_->decide(ticket, std::move(decision));
  state_->finish();
}

Result<void> Broker::recover(TimePoint now) {
  state_->now = now;
  return state_->recover();
}

Result<void> Broker::commit(TimePoint now) {
  state_->now = now;
  return state_->commit();
}

const Error* Broker::store_fault() const { return state_->services.store.fault(); }

void Broker::shut_down(TimePoint now) {
  state_->now = now;
  state_->ending = true;
  for (const auto& connection : state_->connections)
    state_->want_close(*connection, ReasonCode::server_shutting_down);
  state_->finish();
}

void Broker::disconnect(TimePoint now, std::string_view client_id, ReasonCode reason) {
  state_->now = now;
  const Session* session = state_->sessions.find(client_id);
  if (session && session->connection) state_->want_close(*session->connection, reason);
  state_->finish();
}

std::vector<std::string> Broker::filters_of(std::string_view client_id) const {
  std::vector<std::string> filters;
  const Session* const session = state_->sessions.find(client_id);
  if (!session) return filters;
  for (const TopicTree::Position position : session->subscriptions->positions)
    filters.push_back(state_->topics.filter_of(position));
  return filters;
}

void Broker::forget_received(TimePoint now, std::string_view client_id) {
  state_->now = now;
  Session* const session = state_->sessions.find(client_id);
  if (!session || !session->absence->state) return;
  ReceivedIds& received = session->absence.make().state->incoming;
  if (session->kept)
    received.for_each_id([&](PacketId id) { state_->services.store.on_released(session->id, id); });
  received.clear();
}

const Counters& Broker::counters() const {
  state_->counters.sessions = state_->sessions.size();
  state_->counters.retained_messages = state_->retained.count() - state_->status_topics;
  state_->counters.retained_bytes = state_->retained.bytes();
  state_->counters.memory_bytes = state_->memory();
  state_->counters.subscriptions = state_->topics.size();
  state_->counters.shared_subscriptions = state_->topics.shared_size();
  return state_->counters;
}

bool Broker::memory_is_short() const { return state_->memory_is_short(); }

const BrokerConfig& Broker::config() const { return state_->config; }

Connection::Connection(Broker& broker, ConnectionOwner& owner, ConnectionInfo info, ChunkPool& pool,
                       TimePoint now, const ServerConfig& config)
    : broker_{broker}, owner_{owner}, pending_{std::make_unique<Pending>()}, link_{pool, now, config} {
  pending_->info = std::move(info);
  link_.set_observer(&broker.state_->packet_counter);
}

Connection::~Connection() = default;

std::string_view Connection::client_id() const {
  return session_ ? std::string_view{session_->client_id()} : std::string_view{};
}

std::string_view Connection::address() const {
  return session_ ? session_->identity.address : pending_->info.address;
}

void Connection::set_observer(PacketObserver& observer) {
  Broker::State& state = *broker_.state_;
  const auto [watch, added] = state.watched.try_emplace(this, state.counters, &observer);
  link_.set_observer(&watch->second);
  state.routes.end_all();  // of which it may be a part, and nothing of them would be seen
}

void Connection::on_connect(const ConnectView& connect) { broker_.state_->on_connect(*this, connect); }

void Connection::on_message(const PublishView& message, AckToken token) {
  broker_.state_->on_message(*this, message, token);
}

void Connection::on_taken_over(PacketId id) { broker_.state_->on_taken_over(*this, id); }

void Connection::on_released(PacketId id) { broker_.state_->on_released(*this, id); }

void Connection::on_published(PacketId id, ReasonCode reason, PropertiesView) {
  broker_.state_->on_published(*this, id, reason);
}

void Connection::on_subscribe(const SubscribeView& subscribe) {
  broker_.state_->on_subscribe(*this, subscribe);
}

void Connection::on_unsubscribe(const UnsubscribeView& unsubscribe) {
  broker_.state_->on_unsubscribe(*this, unsubscribe);
}

void Connection::on_auth(const AuthView& auth) { broker_.state_->on_auth(*this, auth); }

void Connection::on_disconnect(const DisconnectView& disconnect) {
  broker_.state_->on_disconnect(*this, disconnect);
}

}  // namespace mqtt::broker
