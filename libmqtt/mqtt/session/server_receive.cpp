// What the client sends to a ServerSession.
#include <utility>

#include <mqtt/codec/topic.hpp>
#include <mqtt/session/connack_code.hpp>
#include <mqtt/session/server_session.hpp>

namespace mqtt {
namespace {

constexpr std::size_t protocol_name_at = 2;

/// The Protocol Level of a CONNECT, whether or not it is one we know; 0 if it cannot be read.
std::uint8_t protocol_level(const Frame& frame) {
  const Bytes body = frame.body();
  if (body.size() < protocol_name_at) return 0;
  const std::size_t level_at = protocol_name_at + (static_cast<std::size_t>(body[0]) << 8 | body[1]);
  return level_at < body.size() ? body[level_at] : 0;
}

/// The version a CONNACK is written in for a CONNECT that we cannot read: 5.0 for its own and later
/// levels, so that the code can be understood.
Version answer_version(std::uint8_t level) {
  return level >= static_cast<std::uint8_t>(Version::v5) ? Version::v5 : Version::v3_1_1;
}

}  // namespace

void ServerSession::receive(TimePoint now, Bytes bytes, ServerHandler& handler) {
  if (phase_ == Phase::closed || wants_close() || bytes.empty()) return;
  note_heard(now);
  if (!heard_ && bytes[0] >> 4 != static_cast<int>(PacketType::connect))
    return close_unheard();  // HTTP, SSH, TLS: as a packet it might never be complete
  heard_ = true;
  if (!held_) handle_input(now, bytes, handler);
  if (!bytes.empty() && !wants_close()) hold(bytes);
}

/// Takes whole packets off `bytes` as long as input is wanted.
void ServerSession::handle_input(TimePoint now, Bytes& bytes, ServerHandler& handler) {
  receiving_ = true;
  while (!wants_close() && wants_input()) {
    const auto frame = core_.next_frame(bytes);
    if (!frame) reject(frame.error());
    if (!frame || !*frame) break;
    handle(now, **frame, handler);
  }
  core_.let_go_of_frame();
  receiving_ = false;
}

/// In place: the rest of what was held is not copied each time that input stops again.
void ServerSession::handle_held(TimePoint now, ServerHandler& handler) {
  if (receiving_ || !held_) return;
  Held& held = held_.make();
  Bytes rest = as_bytes(held.bytes).subspan(held.from);
  handle_input(now, rest, handler);
  held.from = held.bytes.size() - rest.size();
  if (rest.empty() || wants_close()) held_.reset();
}

void ServerSession::resume_input(TimePoint now, ServerHandler& handler) {
  if (!input_paused_) return;
  input_paused_ = false;
  note_heard(now);
  handle_held(now, handler);
}

void ServerSession::hold(Bytes bytes) {
  Held& held = held_.make();
  held.bytes.erase(0, std::exchange(held.from, 0));
  if (held.bytes.size() + bytes.size() > config_.held_input_max)
    return close_with(CloseReason::overload, ReasonCode::quota_exceeded);
  held.bytes.append(as_text(bytes));
}

void ServerSession::handle(TimePoint now, const Frame& frame, ServerHandler& handler) {
  if (phase_ == Phase::awaiting_connect) return handle_first(now, frame, handler);
  if (phase_ == Phase::connected && frame.type() == static_cast<std::uint8_t>(PacketType::publish)) {
    const auto publish = decode_publish(frame, core_.decode_context());
    if (!publish) return core_.violation(publish.error());
    core_.observe(*publish);
    return core_.on_publish(*publish, handler);
  }
  const auto packet = decode(frame, core_.decode_context());
  if (!packet) return reject(packet.error());
  core_.observe(*packet);
  if (phase_ == Phase::connecting) return handle_connecting(*packet, handler);
  handle_connected(now, *packet, handler);
}

void ServerSession::close_unheard() {
  const DecodeError error{ReasonCode::protocol_error, "MQTT-3.1.0-1", "first packet is not CONNECT", 0};
  core_.close({.reason = CloseReason::protocol_error, .code = error.reason, .error = error});
}

void ServerSession::handle_first(TimePoint, const Frame& frame, ServerHandler& handler) {
  const auto packet = decode(frame, core_.decode_context());
  core_.set_version(answer_version(protocol_level(frame)));
  if (!packet) {
    phase_ = Phase::connecting;  // so that a CONNACK may answer
    return reject(packet.error());
  }
  core_.observe(*packet);
  on_connect(std::get<ConnectView>(*packet), handler);
}

/// After CONNECT and before CONNACK a version 5.0 client is told by CONNACK (3.1.4), one of 3.1.1 only
/// where there is a code [MQTT-3.1.4-1]; after CONNACK by DISCONNECT.
void ServerSession::reject(const DecodeError& error) {
  if (phase_ == Phase::connecting) {
    const bool allowed = reason_allowed(error.reason, PacketType::connack, Sender::server);
    const auto return_code = to_return_code(error.reason);
    const bool unknown_protocol = error.clause == "MQTT-3.1.2-1";  // it may not even be MQTT
    ConnackView connack;
    connack.reason = allowed ? error.reason : ReasonCode::protocol_error;
    connack.return_code = return_code.value_or(ConnectReturnCode::accepted);
    if (!unknown_protocol && (core_.version() == Version::v5 || return_code)) (void)core_.send(connack);
  }
  core_.violation(error);
}

void ServerSession::on_connect(const ConnectView& connect, ServerHandler& handler) {
  core_.set_version(connect.version);
  phase_ = Phase::connecting;
  awaited_ = false;  // from here on the broker takes its time
  const PropertiesView properties = connect.properties;
  core_.set_peer_limits(read_peer_limits(properties));
  core_.set_diagnostics_allowed(properties.number_or(PropertyId::request_problem_information, 1) != 0);
  session_expiry_interval_ = properties.number_or(PropertyId::session_expiry_interval, 0);
  if (const auto method = properties.text(PropertyId::authentication_method)) auth_method_.make() = *method;
  keep_alive_ = connect.keep_alive;
  clean_start_ = connect.clean_start;
  named_itself_ = !connect.client_id.empty();
  if (connect.will) {
    has_will_ = true;
    will_qos_ = connect.will->qos;
    will_retain_ = connect.will->retain;
  }
  if (!named_itself_ && connect.version == Version::v3_1)  // 3.1, 3.1: 1 to 23 characters
    return reject(
        {ReasonCode::client_identifier_not_valid, "v31#3.1/client-id", "MQTT 3.1 has no empty client id", 0});
  if (!named_itself_ && !clean_start_ && connect.version != Version::v5)  // [MQTT-3.1.3-8]
    return reject({ReasonCode::client_identifier_not_valid, "MQTT-3.1.3-7",
                   "a session can only be kept under a client id", 0});
  handler.on_connect(connect);
}

/// Before CONNACK only what authentication needs [MQTT-3.1.2-30]. Without a method nothing comes here.
void ServerSession::handle_connecting(const PacketView& packet, ServerHandler& handler) {
  if (const auto* auth = std::get_if<AuthView>(&packet)) return on_auth(*auth, handler);
  if (const auto* disconnect = std::get_if<DisconnectView>(&packet))
    return on_disconnect(*disconnect, handler);
  const bool again = type_of(packet) == PacketType::connect;
  reject({ReasonCode::protocol_error, again ? "MQTT-3.1.0-2" : "MQTT-3.1.2-30",
          again ? "client sent a second CONNECT" : "client sent more than AUTH before CONNACK", 0});
}

void ServerSession::handle_connected(TimePoint now, const PacketView& packet, ServerHandler& handler) {
  switch (type_of(packet)) {
    case PacketType::puback: return core_.on_puback(now, std::get<PubackView>(packet), handler);
    case PacketType::pubrec: return core_.on_pubrec(now, std::get<PubrecView>(packet), handler);
    case PacketType::pubrel: return core_.on_pubrel(std::get<PubrelView>(packet), handler);
    case PacketType::pubcomp: return core_.on_pubcomp(now, std::get<PubcompView>(packet), handler);
    case PacketType::subscribe: return on_subscribe(std::get<SubscribeView>(packet), handler);
    case PacketType::unsubscribe: return on_unsubscribe(std::get<UnsubscribeView>(packet), handler);
    case PacketType::pingreq: return core_.answer(PingrespView{});
    case PacketType::auth: return on_auth(std::get<AuthView>(packet), handler);
    case PacketType::disconnect: return on_disconnect(std::get<DisconnectView>(packet), handler);
    // The decoder has turned away what only servers send; PUBLISH went another way.
    default:
      return core_.violation(ReasonCode::protocol_error, Clause{"MQTT-3.1.0-2"},
                             "client sent a second CONNECT");
  }
}

void ServerSession::on_subscribe(const SubscribeView& subscribe, ServerHandler& handler) {
  if (core_.version() == Version::v5 && !subscription_identifiers_ &&
      subscribe.properties.find(PropertyId::subscription_identifier))
    return core_.violation(ReasonCode::subscription_identifiers_not_supported,
                           Clause{"v5#3.2.2.3.12/subid-use"},
                           "Subscription Identifier, which was announced as not available");
  std::uint32_t filters = 0;
  for (const SubscriptionView& subscription : subscribe.subscriptions) {
    ++filters;
    if (core_.version() != Version::v5) continue;
    const auto [share_name, filter] = split_shared(subscription.filter);
    if (!shared_ && !share_name.empty())
      return core_.violation(ReasonCode::shared_subscriptions_not_supported,
                             Clause{"v5#3.2.2.3.13/shared-use"},
                             "shared subscription, which was announced as not available");
    if (!wildcards_ && has_wildcard(filter))
      return core_.violation(ReasonCode::wildcard_subscriptions_not_supported,
                             Clause{"v5#3.2.2.3.11/wildcard-use"},
                             "wildcard subscription, which was announced as not available");
  }
  if (core_.on_request(subscribe.packet_id, {PacketType::subscribe, filters}))
    handler.on_subscribe(subscribe);
}

void ServerSession::on_unsubscribe(const UnsubscribeView& unsubscribe, ServerHandler& handler) {
  const auto filters = static_cast<std::uint32_t>(unsubscribe.filters.count());
  if (core_.on_request(unsubscribe.packet_id, {PacketType::unsubscribe, filters}))
    handler.on_unsubscribe(unsubscribe);
}

void ServerSession::on_auth(const AuthView& auth, ServerHandler& handler) {
  const auto wrong = [this](std::string_view clause, std::string_view what) {
    reject({ReasonCode::protocol_error, clause, what, 0});
  };
  if (auth_method_->empty()) return wrong("MQTT-4.12.0-7", "AUTH although CONNECT named no method");
  if (auth.properties.text(PropertyId::authentication_method).value_or("") != *auth_method_)
    return wrong("MQTT-4.12.0-5", "AUTH has another Authentication Method than CONNECT");
  const bool begins = auth.reason == ReasonCode::re_authenticate;
  if (begins && (phase_ != Phase::connected || authenticating_))
    return wrong("MQTT-4.12.1-1", "re-authentication before the first has ended");
  if (!begins && (auth.reason != ReasonCode::continue_authentication || !challenged_))
    return wrong("MQTT-4.12.0-3", "AUTH that continues nothing");
  challenged_ = false;
  authenticating_ = phase_ == Phase::connected;
  if (phase_ == Phase::connecting) awaited_ = false;
  handler.on_auth(auth);
}

void ServerSession::on_disconnect(const DisconnectView& disconnect, ServerHandler& handler) {
  if (session_expiry_interval_ == 0 &&
      disconnect.properties.number_or(PropertyId::session_expiry_interval, 0) != 0)
    return reject({ReasonCode::protocol_error, "v5#3.14.2.2.2/sei-raise",
                   "DISCONNECT raises a Session Expiry Interval of 0", 0});
  will_cancelled_ = disconnect.reason == ReasonCode::normal_disconnection;
  core_.close(
      {.reason = CloseReason::peer_disconnect,
       .code = disconnect.reason,
       .reason_string = std::string{disconnect.properties.text(PropertyId::reason_string).value_or("")}});
  handler.on_disconnect(disconnect);
}

}  // namespace mqtt
