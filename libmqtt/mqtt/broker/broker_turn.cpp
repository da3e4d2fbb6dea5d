// Connections come and go, time passes.
#include <utility>

#include <mqtt/broker/broker_state.hpp>

namespace mqtt::broker {
namespace {

ServerConfig session_config_of(const BrokerConfig& config) {
  return {.connect_timeout = config.limits.connect_timeout,
          .connect_packet_size_max = config.limits.connect_packet_size,
          .alias_policy = AliasPolicy::when_room,
          .outgoing_aliases_max = config.limits.topic_alias_maximum,
          .enforce_receive_maximum = config.receive_maximum_policy == ReceiveMaximumPolicy::strict,
          .send_window = config.limits.in_flight};
}

}  // namespace

Broker::State::State(Broker& owner, ChunkPool& chunk_pool, BrokerConfig settings, BrokerServices given,
                     SipKey secret)
    : broker{owner},
      pool{chunk_pool},
      config{std::move(settings)},
      session_config{session_config_of(config)},
      services{given},
      failed_logins{config.login_delay_max},
      id_key{derive_key(secret, "client ids")},
      response_key{derive_key(secret, "response information")},
      publisher_key{derive_key(secret, "publishers")},
      durable{services.store.keeps()},
      sessions{derive_key(secret, "sessions")},
      topics{siphash(secret, "topics")},
      retained{siphash(secret, "retained messages")},
      routes{derive_key(secret, "routes")},
      retained_expiries{0, KeyedHash{derive_key(secret, "retained expiries")}} {
  if (config.status_interval > Duration{0}) status.due = TimePoint{};  // at once
}

/// After anything that may have changed `connection`.
void Broker::State::settle(Connection& connection) {
  connection.unsettled_ = false;
  ServerSession& link = connection.link_;
  if (link.wants_close()) detach(connection);
  recount(connection);
  if (connection.session_) recount(*connection.session_);
  // A timer that goes off too early is set again; one that is put off with every packet would cost more.
  const Deadline next = connection.unheard_ ? Deadline{} : link.next_deadline();
  if (next && (!connection.timer_.armed() || *next < connection.timer_.when))
    connection_timers.set(connection, *next);
  if (!link.output().empty() || link.wants_close() || !link.wants_input()) mark_ready(connection);
}

void Broker::State::finish() {
  while (!unsettled.empty() || !changed_readers.empty()) {
    while (!unsettled.empty()) {
      Connection& connection = *unsettled.back();
      unsettled.pop_back();
      settle(connection);
    }
    if (!changed_readers.empty()) release_publishers();
  }
  if (!routes.empty() && memory_is_short()) routes.end_all();
}

void Broker::State::mark_ready(Connection& connection) {
  if (std::exchange(connection.announced_ready_, true)) return;
  connection.owner_.on_ready();
}

/// To be settled at the end of this call; `connection` may be in the middle of receiving.
void Broker::State::note_changed(Connection& connection) {
  if (std::exchange(connection.unsettled_, true)) return;
  unsettled.push_back(&connection);
}

void Broker::State::want_close(Connection& connection, ReasonCode reason) {
  const bool allowed = reason_allowed(reason, PacketType::disconnect, Sender::server);
  // Fails if it is closing already, which is as good.
  (void)connection.link_.disconnect(now, allowed ? reason : ReasonCode::unspecified_error);
  note_changed(connection);
}

/// The client's connection is over, though its last packets may still have to be written.
void Broker::State::detach(Connection& connection) {
  Session* const session = std::exchange(connection.session_, nullptr);
  if (!session) return;
  end_routes_to(*session);
  connection.pending_ = std::make_unique<Connection::Pending>();
  connection.pending_->info.address = session->identity.address;
  stop_waiting(connection);
  release(connection);
  const bool will_is_due = connection.link_.will_is_due();
  if (auto state = connection.link_.take_state())
    session->absence.make().state = std::make_unique<SessionState>(std::move(*state));
  session->connection = nullptr;
  recount(*session);
  note_gone(*session);
  if (connection.was_accepted_) --counters.connected;
  if (connection.was_accepted_)
    services.events.on_disconnected(session->identity, connection.link_.close_info());
  begin_absence(*session, will_is_due);
}

/// Takes `connection` out of everything that knows of it, and destroys it.
void Broker::State::forget(Connection& connection) {
  if (!connection.was_accepted_) {
    ++counters.connections_refused;
    const CloseInfo* const info = connection.link_.close_info();
    services.events.on_refused(connection.pending_->info, info ? *info : CloseInfo{});
  }
  drop_login(connection);
  end_after(connection, std::nullopt);
  connection_timers.cancel(connection);
  std::erase(unsettled, &connection);
  stop_waiting(connection);
  std::erase(promised, &connection);
  watched.erase(&connection);
  input_bytes -= connection.counted_input_;
  --counters.connections;
  const std::uint32_t place = connection.place_;
  connections.back()->place_ = place;
  std::swap(connections[place], connections.back());
  connections.pop_back();
}

void Broker::State::on_connection_time(Connection& connection) {
  connection.link_.on_time(now, connection);
  settle(connection);
}

}  // namespace mqtt::broker
