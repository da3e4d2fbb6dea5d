#include <mqtt/session/server_session.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <mqtt/session/connack_code.hpp>

namespace mqtt {
namespace {

/// A server closes after one and a half times the Keep Alive [MQTT-3.1.2-22] (3.1.1: [MQTT-3.1.2-24]).
Duration keep_alive_limit(std::uint16_t seconds) { return Duration{std::chrono::seconds{seconds}} * 3 / 2; }

}  // namespace

ServerSession::ServerSession(ChunkPool& pool, TimePoint opened, const ServerConfig& config)
    : config_{config},
      core_{pool, {Sender::server, AckMode::manual, config.alias_policy, config.send_window}},
      since_{opened} {
  core_.open(Version::v5, {.maximum_packet_size = config.connect_packet_size_max});
}

Result<void> ServerSession::accept(TimePoint now, Acceptance&& acceptance, ServerHandler& handler) {
  if (const auto ok = check_acceptance(acceptance); !ok) return ok;
  ServerLimits announced;
  read_server_limits(acceptance.properties, announced);
  if (const auto reason = find_will_fault(announced)) {
    (void)refuse(now, *reason);
    return fail(SessionFault::bad_option, "the Will needs more than CONNACK announces");
  }
  if (const auto sent = core_.send(connack_of(acceptance)); !sent) return sent;
  adopt(acceptance, announced, now);
  core_.resume(now, handler, acceptance.session_present);
  handle_held(now, handler);
  return {};
}

Result<void> ServerSession::check(Acceptance& acceptance) const {
  if (const auto ok = check_acceptance(acceptance); !ok) return ok;
  ServerLimits announced;
  read_server_limits(acceptance.properties, announced);
  if (find_will_fault(announced))
    return fail(SessionFault::bad_option, "the Will needs more than CONNACK announces");
  return core_.check_size(connack_of(acceptance));
}

ConnackView ServerSession::connack_of(const Acceptance& acceptance) const {
  ConnackView connack;
  connack.session_present = acceptance.session_present;
  if (core_.version() == Version::v5) connack.properties = acceptance.properties;
  return connack;
}

Result<void> ServerSession::check_acceptance(Acceptance& acceptance) const {
  if (core_.version() == Version::v5 && !auth_method_->empty() &&
      !acceptance.properties.view().find(PropertyId::authentication_method))
    acceptance.properties.add(PropertyId::authentication_method, *auth_method_);
  if (phase_ != Phase::connecting || wants_close())
    return fail(SessionFault::wrong_state, "no CONNECT waits for an answer");
  if (acceptance.session_present && clean_start_)
    return fail(SessionFault::wrong_state, "a Clean Start has no session to be present [MQTT-3.2.2-2]");
  if (core_.version() != Version::v5) return {};
  const PropertiesView properties = acceptance.properties;
  if (auto ok = core_.check_properties(properties, PropertyPlace::connack); !ok) return ok;
  if (named_itself_ == properties.find(PropertyId::assigned_client_identifier).has_value())
    return fail(SessionFault::bad_property,
                named_itself_ ? "the client has an identifier; none can be assigned"
                              : "a client without an identifier has to be assigned one [MQTT-3.2.2-16]");
  if (properties.text(PropertyId::authentication_method).value_or("") != *auth_method_)
    return fail(SessionFault::bad_property,
                "the Authentication Method is not that of CONNECT [MQTT-4.12.0-5]");
  return {};
}

std::optional<ReasonCode> ServerSession::find_will_fault(const ServerLimits& announced) const {
  if (!has_will_ || core_.version() != Version::v5) return std::nullopt;
  if (will_qos_ > announced.maximum_qos) return ReasonCode::qos_not_supported;
  if (will_retain_ && !announced.retain_available) return ReasonCode::retain_not_supported;
  return std::nullopt;
}

void ServerSession::adopt(Acceptance& acceptance, const ServerLimits& announced, TimePoint now) {
  OwnLimits own{.maximum_packet_size = announced.maximum_packet_size};
  if (core_.version() == Version::v5)
    own = {announced.receive_maximum, announced.topic_alias_maximum, announced.maximum_packet_size,
           announced.maximum_qos, announced.retain_available};
  wildcards_ = announced.wildcard_available;
  subscription_identifiers_ = announced.subscription_identifier_available;
  shared_ = announced.shared_available;
  if (!config_.enforce_receive_maximum) own.receive_maximum = receive_maximum_default;
  core_.set_own_limits(own);
  core_.adopt(acceptance.session_present ? std::move(acceptance.state) : SessionState{});
  ServerLimits peer;
  static_cast<PeerLimits&>(peer) = core_.peer_limits();
  peer.topic_alias_maximum = std::min(peer.topic_alias_maximum, config_.outgoing_aliases_max);
  core_.establish(peer);
  if (core_.version() == Version::v5)
    keep_alive_ = static_cast<std::uint16_t>(
        acceptance.properties.view().number_or(PropertyId::server_keep_alive, keep_alive_));
  phase_ = Phase::connected;
  accepted_ = true;
  awaited_ = false;
  since_ = now;
  challenged_ = false;
}

void ServerSession::await_decision(TimePoint now) {
  if (phase_ != Phase::connecting) return;
  awaited_ = true;
  since_ = now;
}

Result<void> ServerSession::refuse(TimePoint, ReasonCode reason, PropertiesView properties) {
  if (phase_ != Phase::connecting || wants_close())
    return fail(SessionFault::wrong_state, "no CONNECT waits for an answer");
  if (!is_error(reason) || !reason_allowed(reason, PacketType::connack, Sender::server))
    return fail(SessionFault::bad_reason_code, fmt::format("CONNACK cannot refuse with reason code 0x{:02X}",
                                                           static_cast<unsigned>(reason)));
  if (auto ok = core_.check_properties(properties, PropertyPlace::connack); !ok) return ok;
  const auto return_code = to_return_code(reason);
  ConnackView connack;
  connack.reason = reason;
  connack.return_code = return_code.value_or(ConnectReturnCode::accepted);
  connack.properties = properties;
  if (core_.version() == Version::v5 || return_code) (void)core_.send(connack);
  core_.close({.reason = CloseReason::refused, .code = reason, .return_code = connack.return_code});
  return {};
}

Result<void> ServerSession::auth(TimePoint now, ReasonCode reason, PropertiesView properties) {
  if (auth_method_->empty())
    return fail(SessionFault::no_authentication_method,
                "CONNECT named no Authentication Method [MQTT-4.12.0-6]");
  const bool continues = reason == ReasonCode::continue_authentication;
  const bool ends = reason == ReasonCode::success;
  const bool waiting = phase_ == Phase::connecting || authenticating_;
  if (wants_close() || !waiting || challenged_ || (ends && phase_ == Phase::connecting))
    return fail(SessionFault::wrong_state, "the client does not wait for this AUTH");
  if (!continues && !ends)
    return fail(SessionFault::bad_reason_code,
                "a server's AUTH either continues or succeeds [MQTT-3.15.2-1]");
  if (properties.text(PropertyId::authentication_method).value_or(*auth_method_) != *auth_method_)
    return fail(SessionFault::bad_property,
                "the Authentication Method is not that of CONNECT [MQTT-4.12.0-5]");
  if (const auto ok = core_.check_properties(properties, PropertyPlace::auth); !ok) return ok;
  Properties with_method{properties};
  if (!properties.find(PropertyId::authentication_method))
    with_method.add(PropertyId::authentication_method, *auth_method_);
  if (const auto sent = core_.send(AuthView{reason, with_method}); !sent) return sent;
  challenged_ = continues;
  authenticating_ = authenticating_ && continues;
  if (phase_ != Phase::connecting) return {};
  awaited_ = true;
  since_ = now;
  return {};
}

Result<PacketId> ServerSession::deliver(TimePoint, const PublishView& header, const SharedBytes& payload,
                                        Deadline expires) {
  return core_.publish(header, payload, expires);
}

Result<void> ServerSession::ack(TimePoint, AckToken token, ReasonCode reason, PropertiesView properties) {
  if (!accepted_) return fail(SessionFault::not_connected, "CONNECT was not accepted yet");
  return core_.ack(token, reason, properties);
}

Result<void> ServerSession::suback(TimePoint, PacketId id, Bytes reasons, PropertiesView properties) {
  return core_.answer_request(SubackView{id, properties, reasons});
}

Result<void> ServerSession::unsuback(TimePoint, PacketId id, Bytes reasons, PropertiesView properties) {
  return core_.answer_request(UnsubackView{id, properties, reasons});
}

Result<void> ServerSession::disconnect(TimePoint, ReasonCode reason, PropertiesView properties) {
  if (phase_ == Phase::closed || wants_close())
    return fail(SessionFault::not_connected, "there is no connection");
  if (!reason_allowed(reason, PacketType::disconnect, Sender::server))
    return fail(SessionFault::bad_reason_code,
                fmt::format("a server's DISCONNECT cannot carry reason code 0x{:02X}",
                            static_cast<unsigned>(reason)));
  if (auto ok = core_.check_properties(properties, PropertyPlace::disconnect); !ok) return ok;
  if (core_.version() == Version::v5 && core_.established())
    if (auto sent = core_.send(DisconnectView{reason, properties}); !sent) return sent;
  core_.close({.reason = CloseReason::local_disconnect, .code = reason});
  return {};
}

void ServerSession::on_time(TimePoint now, ServerHandler&) {
  if (!next_deadline() || now < *next_deadline()) return;
  if (phase_ != Phase::connected) return core_.close({.reason = CloseReason::connect_timeout});
  close_with(CloseReason::keep_alive_timeout, ReasonCode::keep_alive_timeout);
}

/// Tells the client why if it can be told: with 5.0, after CONNACK [MQTT-3.14.0-1].
void ServerSession::close_with(CloseReason reason, ReasonCode code) {
  if (core_.version() == Version::v5 && core_.established()) (void)core_.send(DisconnectView{code, {}});
  core_.close({.reason = reason, .code = code});
}

Deadline ServerSession::next_deadline() const {
  if (phase_ == Phase::closed || wants_close() || input_paused_) return std::nullopt;
  if (phase_ == Phase::connected && keep_alive_ > 0) return since_ + keep_alive_limit(keep_alive_);
  return awaited_ ? Deadline{since_ + config_.connect_timeout} : std::nullopt;
}

void ServerSession::on_transport_closed(TimePoint) {
  phase_ = Phase::closed;
  held_.reset();
  core_.transport_closed();
}

std::optional<SessionState> ServerSession::take_state() {
  if (!accepted_) return std::nullopt;
  if (phase_ != Phase::closed) core_.leave_session();
  return core_.take_state();
}

}  // namespace mqtt
