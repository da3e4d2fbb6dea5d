// CONNECT and AUTH: who may come in, and what becomes of the session that is there.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <mqtt/broker/broker_state.hpp>
#include <mqtt/broker/topic_limits.hpp>

namespace mqtt::broker {
namespace {

std::unique_ptr<Will> copy_will(const ConnectView& connect, const std::shared_ptr<MessageAccount>& account) {
  if (!connect.will) return nullptr;
  const WillView& given = *connect.will;
  PublishView publish;
  publish.topic = given.topic;
  publish.qos = given.qos;
  Properties properties{given.properties};
  properties.remove(PropertyId::will_delay_interval);
  publish.properties = properties;
  publish.payload = given.payload;
  auto will = std::make_unique<Will>();
  will->message = std::make_shared<const Message>(publish, Deadline{}, 0, 0, account);
  will->retain = given.retain;
  will->delay = given.properties.number_or(PropertyId::will_delay_interval, 0);
  will->expiry = given.properties.number(PropertyId::message_expiry_interval);
  return will;
}

/// What it takes to remember who wants in until that is checked.
std::size_t login_size(const ConnectView& connect) {
  constexpr std::size_t besides = 256;
  return besides + connect.user_name.value_or("").size() + connect.password.value_or(Bytes{}).size();
}

Rare<std::string> rare(std::string text) {
  Rare<std::string> kept;
  if (!text.empty()) kept.make() = std::move(text);
  return kept;
}

}  // namespace

void Broker::State::on_connect(Connection& connection, const ConnectView& connect) {
  Connection::Pending& pending = *connection.pending_;
  const PropertiesView properties = connect.properties;
  pending.version = connect.version;
  pending.clean_start = connect.clean_start;
  pending.keep_alive = connect.keep_alive;
  pending.client_id = connect.client_id;
  pending.method = properties.text(PropertyId::authentication_method).value_or("");
  // Before 5.0 a session that is not clean stays until its client comes back (3.1.1, 3.1.2.4).
  const bool stays = connect.version != Version::v5 && !connect.clean_start;
  const std::uint32_t expiry =
      stays ? never_expires : properties.number_or(PropertyId::session_expiry_interval, 0);
  pending.session_expiry_interval = std::min(expiry, config.limits.session_expiry_maximum);
  pending.expires_early = pending.session_expiry_interval != expiry;
  pending.wants_response_information = properties.number_or(PropertyId::request_response_information, 0) != 0;
  pending.will = copy_will(connect, message_account);
  const bool proves_itself = connect.password || !pending.method.empty();
  if (proves_itself && failed_logins.must_wait(now, pending.info.address))
    return refuse(connection, ReasonCode::connection_rate_exceeded, {});
  if (pending.method.empty()) {
    AuthDecision decision = services.authenticator.authenticate(connect, pending.info);
    if (decision.kind != AuthDecision::Kind::later) return on_decision(connection, std::move(decision));
    return put_off(connection, std::move(decision.work), login_size(connect));
  }
  pending.exchange = services.authenticator.begin(pending.method, connect.client_id);
  if (!pending.exchange) return refuse(connection, ReasonCode::bad_authentication_method, {});
  on_decision(connection,
              pending.exchange->step(properties.text(PropertyId::authentication_data).value_or("")));
}

/// The next step of an exchange, or the first of a re-authentication.
void Broker::State::on_auth(Connection& connection, const AuthView& auth) {
  if (!connection.pending_) {
    connection.pending_ = std::make_unique<Connection::Pending>();
    connection.pending_->method = auth.properties.text(PropertyId::authentication_method).value_or("");
    connection.pending_->exchange =
        services.authenticator.begin(connection.pending_->method, connection.client_id());
  }
  if (!connection.pending_->exchange) return refuse(connection, ReasonCode::bad_authentication_method, {});
  // Or many exchanges could begin before the first of them fails.
  if (!connection.session_ && failed_logins.must_wait(now, connection.address()))
    return refuse(connection, ReasonCode::connection_rate_exceeded, {});
  on_decision(connection, connection.pending_->exchange->step(
                              auth.properties.text(PropertyId::authentication_data).value_or("")));
}

void Broker::State::on_decision(Connection& connection, AuthDecision decision) {
  if (decision.kind == AuthDecision::Kind::refuse) {
    note_failed_login(connection, decision.reason);
    return refuse(connection, decision.reason, decision.text);
  }
  const bool challenge = decision.kind == AuthDecision::Kind::challenge;
  if (!challenge && !connection.session_) return accept(connection, std::move(decision));
  Properties properties;
  if (!decision.data.empty()) properties.add(PropertyId::authentication_data, decision.data);
  const ReasonCode reason = challenge ? ReasonCode::continue_authentication : ReasonCode::success;
  if (!connection.link_.auth(now, reason, properties))
    return want_close(connection, ReasonCode::not_authorized);
  if (challenge) return;
  end_after(connection, decision.lasts);
  connection.session_->identity.user = rare(std::move(decision.user));
  // Another user may not be allowed to receive the same. What it may publish is asked for anew, too: behind
  // AUTH no message goes by a route that was found before.
  end_routes_to(*connection.session_);
  connection.pending_.reset();
}

/// Who shows no password guesses none.
void Broker::State::note_failed_login(const Connection& connection, ReasonCode reason) {
  if (reason == ReasonCode::bad_user_name_or_password || !connection.pending_->method.empty())
    failed_logins.note(now, connection.address());
}

void Broker::State::refuse(Connection& connection, ReasonCode reason, std::string_view text) {
  // What a DISCONNECT cannot say, such as a bad password, is "not authorized" there.
  const PacketType answer = connection.session_ ? PacketType::disconnect : PacketType::connack;
  const ReasonCode code =
      reason_allowed(reason, answer, Sender::server) ? reason : ReasonCode::not_authorized;
  if (connection.session_) {  // at a re-authentication
    connection.pending_.reset();
    return want_close(connection, code);
  }
  Properties properties;
  if (!text.empty()) properties.add(PropertyId::reason_string, text);
  (void)connection.link_.refuse(
      now, code, connection.link_.version() == Version::v5 ? properties.view() : PropertiesView{});
}

std::optional<ReasonCode> Broker::State::find_connect_fault(const Connection::Pending& pending,
                                                            const Identity& who) {
  if (!sessions.find(who.client_id) && sessions.size() >= config.limits.sessions)
    return ReasonCode::quota_exceeded;
  if (store_fails() && would_be_told(pending, who.client_id)) return ReasonCode::server_unavailable;
  if (!pending.will) return std::nullopt;
  const std::string_view topic = pending.will->message->topic();
  if (pending.version == Version::v5) {
    if (pending.will->message->qos() > config.limits.maximum_qos) return ReasonCode::qos_not_supported;
    if (pending.will->retain && !config.retain_available) return ReasonCode::retain_not_supported;
  }
  if (!fits(topic, config.limits)) return ReasonCode::topic_name_invalid;
  if (is_brokers_own(topic)) return ReasonCode::not_authorized;
  if (const auto fault =
          services.access.find_publish_fault(who, topic))  // 3.1.1 has one word for all of them
    return pending.version == Version::v5 ? fault : ReasonCode::not_authorized;
  if (memory_is_short()) return ReasonCode::quota_exceeded;  // with it, which may be kept for long
  return std::nullopt;
}

/// Whether the store has to know of the session that this begins or goes on with.
bool Broker::State::would_be_told(const Connection::Pending& pending, std::string_view client_id) const {
  const Session* const former = sessions.find(client_id);
  return pending.session_expiry_interval > 0 || pending.will || (former && former->told);
}

void Broker::State::accept(Connection& connection, AuthDecision decision) {
  Connection::Pending& pending = *connection.pending_;
  Identity who{.client_id = pending.client_id.empty() ? make_client_id() : pending.client_id,
               .user = rare(std::move(decision.user)),
               .address = pending.info.address};
  if (const auto fault = find_connect_fault(pending, who)) return refuse(connection, *fault, {});
  Acceptance acceptance = make_acceptance(pending, who.client_id, decision.data);
  // Before anything changes: a CONNECT that is refused, such as one whose Maximum Packet Size has no room
  // for this CONNACK, leaves the client's session, its connection and its Will alone (3.1.3.2.2).
  if (!connection.link_.check(acceptance))
    return refuse(connection, ReasonCode::implementation_specific_error, {});
  const Session* const before = sessions.find(who.client_id);
  const bool was_told = before && before->told;
  Session* const former = take_up(who.client_id, pending.clean_start);
  acceptance.session_present = former != nullptr;
  Session& session = former ? *former : sessions.add(who.client_id);
  // Not the client id: the table's key is a view of the one that is there.
  session.identity.user = std::move(who.user);
  session.identity.address = std::move(who.address);
  session.version = pending.version;
  session.expiry_interval = pending.session_expiry_interval;
  session.connection = &connection;
  connection.session_ = &session;
  // The client is back in time (3.1.3.2.2).
  if (auto absence = std::exchange(session.absence, {}); absence->state)
    acceptance.state = std::move(*absence.make().state);
  session.will = std::move(pending.will);
  connection.pending_.reset();
  session.kept = session.kept || (durable && session.expiry_interval > 0);
  tell(session);
  // Also of the end of another: what was given up by a clean start must not come back.
  if (session.told || was_told) promise(connection);
  note_return(session);
  arm(session);
  end_after(connection, decision.lasts);
  begin_connection(connection, std::move(acceptance));
}

/// The session of this client that goes on, if there is one. Its older connection ends.
Session* Broker::State::take_up(std::string_view client_id, bool clean_start) {
  if (Session* const former = sessions.find(client_id)) take_over(*former);
  Session* const session = sessions.find(client_id);  // which that may have ended
  if (!session || !clean_start) return session;
  end_session(*session);
  return nullptr;
}

/// With an acceptance that the connection has checked: it succeeds.
void Broker::State::begin_connection(Connection& connection, Acceptance acceptance) {
  Session& session = *connection.session_;
  const bool present = acceptance.session_present;
  (void)connection.link_.accept(now, std::move(acceptance), connection);
  connection.was_accepted_ = true;
  connection.messages_end_ = connection.output().size();  // what was in flight
  ++counters.connections_accepted;
  if (connection.session_)
    counters.connected_maximum = std::max(counters.connected_maximum, ++counters.connected);
  services.events.on_connected(session.identity, session.version, present);
  if (connection.session_) pump(*connection.session_);
}

Acceptance Broker::State::make_acceptance(const Connection::Pending& pending, std::string_view client_id,
                                          std::string_view auth_data) const {
  const Limits& limits = config.limits;
  Acceptance acceptance;
  Properties& said = acceptance.properties;
  said.add(PropertyId::maximum_packet_size, limits.packet_size);
  if (pending.version != Version::v5) return acceptance;
  if (pending.client_id.empty()) said.add(PropertyId::assigned_client_identifier, client_id);
  if (pending.expires_early) said.add(PropertyId::session_expiry_interval, pending.session_expiry_interval);
  const bool endless = pending.keep_alive == 0;
  if (limits.keep_alive_maximum < 65'535 && (endless || pending.keep_alive > limits.keep_alive_maximum))
    said.add(PropertyId::server_keep_alive, limits.keep_alive_maximum);
  said.add(PropertyId::receive_maximum, limits.receive_maximum);
  if (limits.topic_alias_maximum > 0) said.add(PropertyId::topic_alias_maximum, limits.topic_alias_maximum);
  if (limits.maximum_qos < QoS::exactly_once)
    said.add(PropertyId::maximum_qos, to_number(limits.maximum_qos));
  if (!config.retain_available) said.add(PropertyId::retain_available, 0);
  if (!config.wildcard_available) said.add(PropertyId::wildcard_subscription_available, 0);
  if (!config.shared_available) said.add(PropertyId::shared_subscription_available, 0);
  // A place for answers that other clients cannot guess, and the same for each of a client's connections.
  if (pending.wants_response_information)
    said.add(PropertyId::response_information,
             fmt::format("response/{:016x}", siphash(response_key, client_id)));
  if (!auth_data.empty()) said.add(PropertyId::authentication_data, auth_data);
  return acceptance;
}

/// The same client connects again: its older connection ends [MQTT-3.1.4-3] (3.1.1: [MQTT-3.1.4-2]).
void Broker::State::take_over(Session& session) {
  if (!session.connection) return;
  Connection& former = *session.connection;
  want_close(former, ReasonCode::session_taken_over);
  detach(former);
}

std::string Broker::State::make_client_id() {
  std::string id;
  do {
    id = fmt::format("mq-{:016x}{:016x}", next_random(), next_random());
  } while (sessions.find(id));
  return id;
}

std::uint64_t Broker::State::next_random() { return siphash(id_key, fmt::format("{}", ++randoms)); }

}  // namespace mqtt::broker
