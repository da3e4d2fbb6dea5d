#include <mqtt/session/client_session.hpp>

#include <fmt/format.h>

#include <utility>

#include <mqtt/session/connect_packet.hpp>
#include <mqtt/session/subscription_check.hpp>

namespace mqtt {
namespace {

/// A server's first packet is CONNACK, or AUTH, or DISCONNECT [MQTT-3.2.0-1].
bool may_answer_connect(std::uint8_t first_byte) {
  const auto type = static_cast<PacketType>(first_byte >> 4);
  return type == PacketType::connack || type == PacketType::auth || type == PacketType::disconnect;
}

/// Nothing if it is longer than a property may be.
std::optional<Properties> authentication_data(std::string_view data) {
  Properties properties;
  if (!data.empty() && !properties.add(PropertyId::authentication_data, data)) return std::nullopt;
  return properties;
}

std::unexpected<Error> data_too_long() {
  return fail(SessionFault::field_too_long, "Authentication Data is longer than 65,535 bytes");
}

}  // namespace

ClientSession::ClientSession(ChunkPool& pool, ClientConfig config)
    : core_{pool, {Sender::client, config.ack_mode, config.alias_policy, config.send_window}},
      keep_alive_{config.ping_timeout},
      connack_timeout_{config.connack_timeout} {
  core_.start_ids_at(config.first_packet_id);
  if (config.auth_timeout != Authentication{}.timeout) auth_.make().timeout = config.auth_timeout;
}

Result<void> ClientSession::connect(TimePoint now, const ConnectOptions& options) {
  AuthMechanism* const mechanism = auth_->mechanism;
  if (!mechanism) return begin_connection(now, options);
  const auto data = authentication_data(mechanism->begin());
  if (!data) return data_too_long();
  ConnectOptions authenticated = options;
  Properties& properties = authenticated.properties;
  properties.remove(PropertyId::authentication_method);
  properties.remove(PropertyId::authentication_data);
  properties.add(PropertyId::authentication_method, mechanism->method());
  for (const PropertyView& property : data->view()) properties.add(property);
  return begin_connection(now, authenticated);
}

Result<void> ClientSession::begin_connection(TimePoint now, const ConnectOptions& options) {
  if (open_) return fail(SessionFault::wrong_state, "the session has a connection already");
  if (in_flight() > 0 && options.client_id != client_id_)
    return fail(SessionFault::wrong_state,
                fmt::format("{} messages in flight belong to another client id", with_commas(in_flight())));
  if (const auto ok = check_connect(options); !ok) return ok;
  const PeerLimits announced = read_peer_limits(options.properties);
  core_.open(options.version,
             {announced.receive_maximum, announced.topic_alias_maximum, announced.maximum_packet_size});
  if (const auto sent = core_.send(to_view(options)); !sent) return sent;
  const PropertiesView properties = options.properties;
  session_kept_ = session_kept_ && options.client_id == client_id_;
  client_id_ = std::string{options.client_id};  // no larger than it is, as an assigned text may be
  const auto method = properties.text(PropertyId::authentication_method).value_or("");
  if (auth_ || !method.empty()) auth_.make().method = method;
  requested_expiry_ = properties.number_or(PropertyId::session_expiry_interval, 0);
  requested_keep_alive_ = options.keep_alive;
  clean_start_ = options.clean_start;
  may_resume_ = !options.clean_start && (session_kept_ || options.resumes_earlier_process);
  authenticating_ = false;
  heard_ = false;
  open_ = true;
  if (connack_timeout_ != Duration{}) connack_due_.make() = now + connack_timeout_;
  return {};
}

Result<PacketId> ClientSession::publish(TimePoint now, const PublishView& header,
                                        const SharedBytes& payload) {
  auto id = core_.publish(header, payload);
  note_sent(now);
  return id;
}

Result<PacketId> ClientSession::subscribe(TimePoint now, SubscriptionsView subscriptions,
                                          PropertiesView properties) {
  if (const auto ok = check_subscriptions(subscriptions, properties); !ok) return std::unexpected(ok.error());
  auto id = core_.request(PacketType::subscribe, subscriptions, properties);
  note_sent(now);
  return id;
}

Result<PacketId> ClientSession::unsubscribe(TimePoint now, SubscriptionsView filters,
                                            PropertiesView properties) {
  if (const auto ok = core_.check_connected(); !ok) return std::unexpected(ok.error());
  if (const auto ok = core_.check_properties(properties, PropertyPlace::unsubscribe); !ok)
    return std::unexpected(ok.error());
  if (const auto ok = check_filters(filters, core_.version()); !ok) return std::unexpected(ok.error());
  auto id = core_.request(PacketType::unsubscribe, filters, properties);
  note_sent(now);
  return id;
}

Result<void> ClientSession::check_subscriptions(SubscriptionsView list, PropertiesView properties) const {
  if (auto ok = core_.check_connected(); !ok) return ok;
  if (auto ok = core_.check_properties(properties, PropertyPlace::subscribe); !ok) return ok;
  if (auto ok = check_filters(list, core_.version()); !ok) return ok;
  if (auto ok = check_options(list, core_.version()); !ok) return ok;
  return check_available(list, properties, limits_);
}

Result<void> ClientSession::ack(TimePoint now, AckToken token, ReasonCode reason, PropertiesView properties) {
  auto result = core_.ack(token, reason, properties);
  note_sent(now);
  return result;
}

Result<void> ClientSession::relay(TimePoint now, const PublishView& message, const SharedBytes& payload) {
  auto result = core_.relay(message, payload);
  note_sent(now);
  return result;
}

Result<void> ClientSession::relay(TimePoint now, PacketType type, PacketId id, ReasonCode reason) {
  auto result = core_.relay(type, id, reason);
  note_sent(now);
  return result;
}

Result<void> ClientSession::ping(TimePoint now) {
  if (const auto ok = core_.check_connected(); !ok) return ok;
  const std::size_t in_front = core_.output().size();
  if (const auto sent = core_.send(PingreqView{}); !sent) return sent;
  keep_alive_.ping_sent(now, in_front, core_.bytes_queued());
  note_sent(now);
  return {};
}

Result<void> ClientSession::auth(TimePoint now, ReasonCode reason, PropertiesView properties) {
  if (const auto ok = check_auth(reason, properties); !ok) return ok;
  Properties with_method{properties};
  if (!properties.find(PropertyId::authentication_method))
    with_method.add(PropertyId::authentication_method, auth_->method);
  if (const auto sent = core_.send(AuthView{reason, with_method}); !sent) return sent;
  authenticating_ = true;
  if (reason == ReasonCode::re_authenticate) await_authentication(now);
  note_sent(now);
  return {};
}

Result<void> ClientSession::re_authenticate(TimePoint now) {
  if (!auth_->mechanism)
    return fail(SessionFault::no_authentication_method, "there is no method to authenticate by");
  if (const auto ok = check_auth(ReasonCode::re_authenticate, {}); !ok) return ok;
  const auto data = authentication_data(auth_->mechanism->begin());
  if (!data) return data_too_long();
  return auth(now, ReasonCode::re_authenticate, *data);
}

Result<void> ClientSession::check_auth(ReasonCode reason, PropertiesView properties) const {
  if (!open_ || wants_close()) return fail(SessionFault::not_connected, "there is no connection");
  if (auth_->method.empty())
    return fail(SessionFault::no_authentication_method,
                "AUTH needs an Authentication Method in CONNECT [MQTT-4.12.0-7]");
  const bool begins = reason == ReasonCode::re_authenticate;
  const bool continues = reason == ReasonCode::continue_authentication;
  if (!begins && !continues)
    return fail(SessionFault::bad_reason_code, "a client's AUTH either continues or re-authenticates");
  if (begins && (!connected() || authenticating_))
    return fail(SessionFault::wrong_state, "another authentication has to end first [MQTT-4.12.1-1]");
  if (continues && !authenticating_)
    return fail(SessionFault::wrong_state, "the server has asked for no authentication");
  const auto method = properties.text(PropertyId::authentication_method);
  if (method && *method != auth_->method)
    return fail(SessionFault::bad_property,
                "the Authentication Method is not that of CONNECT [MQTT-4.12.0-5]");
  return core_.check_properties(properties, PropertyPlace::auth);
}

Result<void> ClientSession::disconnect(TimePoint now, ReasonCode reason, PropertiesView properties) {
  if (const auto ok = check_disconnect(reason, properties); !ok) return ok;
  if (const auto sent = core_.send(DisconnectView{reason, properties}); !sent) return sent;
  if (const auto expiry = properties.number(PropertyId::session_expiry_interval)) session_kept_ = *expiry > 0;
  core_.close({.reason = CloseReason::local_disconnect, .code = reason});
  note_sent(now);
  return {};
}

Result<void> ClientSession::check_disconnect(ReasonCode reason, PropertiesView properties) const {
  if (!open_ || wants_close()) return fail(SessionFault::not_connected, "there is no connection");
  if (auto ok = core_.check_properties(properties, PropertyPlace::disconnect); !ok) return ok;
  if (core_.version() == Version::v5 && !reason_allowed(reason, PacketType::disconnect, Sender::client))
    return fail(SessionFault::bad_reason_code,
                fmt::format("a client's DISCONNECT cannot carry reason code 0x{:02X}",
                            static_cast<unsigned>(reason)));
  if (requested_expiry_ == 0 && properties.number_or(PropertyId::session_expiry_interval, 0) != 0)
    return fail(
        SessionFault::session_expiry,
        "a session that CONNECT let end with the connection cannot be kept by DISCONNECT [MQTT-3.14.2-2]");
  return {};
}

void ClientSession::await_authentication(TimePoint now) {
  if (auth_->timeout != Duration{} && !reading_paused_) auth_.make().deadline = now + auth_->timeout;
}

void ClientSession::pause_reading(TimePoint now) {
  reading_paused_ = true;
  if (auth_) auth_.make().deadline.reset();
  keep_alive_.pause(now);
}

void ClientSession::resume_reading(TimePoint now) {
  reading_paused_ = false;
  if (connected() && authenticating_) await_authentication(now);
  keep_alive_.resume(now);
}

void ClientSession::receive(TimePoint now, Bytes bytes, SessionHandler& handler) {
  if (!open_ || wants_close() || bytes.empty()) return;
  keep_alive_.received(now);
  // What is no MQTT server (HTTP, TLS) shows in its first byte; the length that its text would be as a
  // packet is not worth waiting for.
  if (!std::exchange(heard_, true) && !may_answer_connect(bytes[0]))
    return core_.violation(ReasonCode::protocol_error, Clause{"MQTT-3.2.0-1"},
                           "the first byte is not that of a CONNACK");
  while (!wants_close()) {
    const auto frame = core_.next_frame(bytes);
    if (!frame) core_.violation(frame.error());
    if (!frame || !*frame) break;
    handle(now, **frame, handler);
  }
  note_sent(now);
}

void ClientSession::on_time(TimePoint now, SessionHandler&) {
  if (!open_ || wants_close()) return;
  if (connack_due_ && now >= *connack_due_) return core_.close({.reason = CloseReason::connack_timeout});
  if (auth_->deadline && now >= *auth_->deadline) return core_.close({.reason = CloseReason::auth_timeout});
  keep_alive_.written(now, core_.bytes_written());
  if (keep_alive_.timed_out(now)) return core_.close({.reason = CloseReason::ping_timeout});
  if (keep_alive_.ping_due(now)) (void)ping(now);
}

Deadline ClientSession::next_deadline() const {
  if (!open_ || wants_close()) return std::nullopt;
  const Deadline connack = connack_due_ ? Deadline{*connack_due_} : std::nullopt;
  return earlier(earlier(connack, auth_->deadline), keep_alive_.next_deadline());
}

void ClientSession::on_transport_closed(TimePoint) {
  open_ = false;
  authenticating_ = reading_paused_ = false;
  connack_due_.reset();
  if (auth_) auth_.make().deadline.reset();
  keep_alive_.stop();
  core_.transport_closed();
  bytes_noted_ = core_.bytes_queued();
}

void ClientSession::restore(std::string_view client_id, const PublishView& message,
                            const SharedBytes& payload, Deadline expires) {
  client_id_ = client_id;
  Inflight& outgoing = core_.state().outgoing;
  outgoing.add(message.packet_id, message, payload, expires);
  outgoing.mark_sent(message.packet_id);  // it may have been, and so is a repetition
}

void ClientSession::restore_taken_over(std::string_view client_id, PacketId id) {
  client_id_ = client_id;
  Inflight& outgoing = core_.state().outgoing;
  PublishView message;
  message.qos = QoS::exactly_once;
  outgoing.add(id, message, {});
  outgoing.release(id, ReasonCode::success);
  outgoing.mark_sent(id);
}

void ClientSession::forget_session() {
  if (open_) return;
  core_.state().clear();
  session_kept_ = false;
}

void ClientSession::note_sent(TimePoint now) {
  if (core_.bytes_queued() == bytes_noted_) return;
  bytes_noted_ = core_.bytes_queued();
  keep_alive_.sent(now);
}

}  // namespace mqtt
