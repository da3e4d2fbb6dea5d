// What the server sends to a ClientSession.
#include <concepts>
#include <type_traits>

#include <mqtt/session/client_session.hpp>

namespace mqtt {
namespace {

std::string text_or_empty(PropertiesView properties, PropertyId id) {
  return std::string{properties.text(id).value_or("")};
}

}  // namespace

void ClientSession::handle(TimePoint now, const Frame& frame, SessionHandler& handler) {
  // The hot path does without the variant.
  if (core_.established() && frame.type() == static_cast<std::uint8_t>(PacketType::publish)) {
    const auto publish = decode_publish(frame, core_.decode_context());
    if (!publish) return core_.violation(publish.error());
    core_.observe(*publish);
    return core_.on_publish(*publish, handler);
  }
  const auto packet = decode(frame, core_.decode_context());
  if (!packet) return core_.violation(packet.error());
  core_.observe(*packet);
  if (core_.established()) return handle_connected(now, *packet, handler);
  handle_before_connack(now, *packet, handler);
}

void ClientSession::handle_before_connack(TimePoint now, const PacketView& packet, SessionHandler& handler) {
  if (const auto* connack = std::get_if<ConnackView>(&packet)) return on_connack(now, *connack, handler);
  if (const auto* auth = std::get_if<AuthView>(&packet)) return on_auth(now, *auth, handler);
  if (const auto* disconnect = std::get_if<DisconnectView>(&packet))
    return on_disconnect(*disconnect, handler);
  core_.violation(ReasonCode::protocol_error, Clause{"MQTT-3.2.0-1"}, "server sent a packet before CONNACK");
}

bool ClientSession::hand_on(const PacketView& packet, SessionHandler& handler) {
  const PacketType type = type_of(packet);
  if (!core_.relays() || type < PacketType::puback || type > PacketType::pubcomp) return false;
  std::visit(
      [&](const auto& p) {
        if constexpr (std::derived_from<std::decay_t<decltype(p)>, AckView>) handler.on_flow(type, p);
      },
      packet);
  return true;
}

void ClientSession::handle_connected(TimePoint now, const PacketView& packet, SessionHandler& handler) {
  if (hand_on(packet, handler)) return;
  switch (type_of(packet)) {
    case PacketType::puback: return core_.on_puback(now, std::get<PubackView>(packet), handler);
    case PacketType::pubrec: return core_.on_pubrec(now, std::get<PubrecView>(packet), handler);
    case PacketType::pubrel: return core_.on_pubrel(std::get<PubrelView>(packet), handler);
    case PacketType::pubcomp: return core_.on_pubcomp(now, std::get<PubcompView>(packet), handler);
    case PacketType::suback: return on_suback(std::get<SubackView>(packet), handler);
    case PacketType::unsuback: return on_unsuback(std::get<UnsubackView>(packet), handler);
    case PacketType::pingresp: keep_alive_.pong_received(); return handler.on_pong();
    case PacketType::auth: return on_auth(now, std::get<AuthView>(packet), handler);
    case PacketType::disconnect: return on_disconnect(std::get<DisconnectView>(packet), handler);
    // The decoder has turned away what only clients send; PUBLISH went another way.
    default:
      return core_.violation(ReasonCode::protocol_error, Clause{"MQTT-3.2.0-2", "v311#3.2.0/connack-repeat"},
                             "server sent a second CONNACK");
  }
}

void ClientSession::on_connack(TimePoint now, const ConnackView& connack, SessionHandler& handler) {
  if (connack.reason != ReasonCode::success) return on_refusal(connack, handler);
  if (const auto lie = find_lie(connack)) return core_.violation(*lie);
  end_authentication(connack.properties);
  if (wants_close()) return;
  ServerLimits limits;
  // 3.1 does not say whether the session was there: we go by what we asked for and had.
  limits.session_present =
      core_.version() == Version::v3_1 ? !clean_start_ && session_kept_ : connack.session_present;
  limits.keep_alive = requested_keep_alive_;
  limits.session_expiry_interval = requested_expiry_;
  read_server_limits(connack.properties, limits);
  limits_ = limits;
  // The session goes by it.
  if (const auto assigned = connack.properties.text(PropertyId::assigned_client_identifier))
    client_id_ = *assigned;
  session_kept_ = core_.version() == Version::v5 ? limits_.session_expiry_interval > 0 : !clean_start_;
  connack_due_.reset();
  keep_alive_.start(now, limits_.keep_alive);
  core_.establish(limits_);
  core_.resume(now, handler, limits_.session_present);
  handler.on_connack(connack);
}

void ClientSession::on_refusal(const ConnackView& connack, SessionHandler& handler) {
  core_.close({.reason = CloseReason::refused,
               .code = connack.reason,
               .return_code = connack.return_code,
               .reason_string = text_or_empty(connack.properties, PropertyId::reason_string),
               .server_reference = text_or_empty(connack.properties, PropertyId::server_reference)});
  handler.on_connack(connack);
}

/// What a CONNACK may not say in answer to our CONNECT.
std::optional<DecodeError> ClientSession::find_lie(const ConnackView& connack) const {
  const auto lie = [&](Clause clause, std::string_view what) {
    return DecodeError{ReasonCode::protocol_error, clause.id(core_.version()), what, 0};
  };
  if (connack.session_present && clean_start_)
    return lie({"MQTT-3.2.2-2", "MQTT-3.2.2-1"}, "Session Present answers a Clean Start");
  if (connack.session_present && !may_resume_)
    return lie({"MQTT-3.2.2-4", "MQTT-3.2.2-3"}, "Session Present, but there is no session here");
  if (core_.version() != Version::v5) return std::nullopt;
  const bool assigned = connack.properties.find(PropertyId::assigned_client_identifier).has_value();
  if (assigned && !client_id_.empty())
    return lie({"v5#3.2.2.3.7/assigned-dup"}, "server assigned a client id although there was one");
  if (!assigned && client_id_.empty()) return lie({"MQTT-3.2.2-16"}, "server did not assign a client id");
  const auto method = connack.properties.text(PropertyId::authentication_method).value_or("");
  if (method != auth_->method)
    return lie(auth_->method.empty() ? Clause{"MQTT-4.12.0-6"} : Clause{"MQTT-4.12.0-5"},
               "CONNACK has another Authentication Method than CONNECT");
  return std::nullopt;
}

void ClientSession::on_suback(const SubackView& suback, SessionHandler& handler) {
  if (core_.on_answer(suback.packet_id, PacketType::subscribe, suback.reasons.size(),
                      Clause{"MQTT-3.8.4-6", "MQTT-3.8.4-5"}))
    handler.on_subscribed(suback.packet_id, suback);
}

void ClientSession::on_unsuback(const UnsubackView& unsuback, SessionHandler& handler) {
  const bool has_codes = core_.version() == Version::v5;
  if (core_.on_answer(unsuback.packet_id, PacketType::unsubscribe,
                      has_codes ? std::optional{unsuback.reasons.size()} : std::nullopt,
                      Clause{"MQTT-3.11.3-2"}))
    handler.on_unsubscribed(unsuback.packet_id, unsuback);
}

void ClientSession::on_auth(TimePoint now, const AuthView& auth, SessionHandler& handler) {
  const auto protocol_error = ReasonCode::protocol_error;
  if (auth_->method.empty())
    return core_.violation(protocol_error, Clause{"MQTT-4.12.0-6"}, "AUTH although CONNECT named no method");
  if (auth.properties.text(PropertyId::authentication_method).value_or(auth_->method) != auth_->method)
    return core_.violation(protocol_error, Clause{"MQTT-4.12.0-5"},
                           "AUTH has another Authentication Method than CONNECT");
  const bool continues = auth.reason == ReasonCode::continue_authentication;
  if (!core_.established() && !continues)
    return core_.violation(protocol_error, Clause{"MQTT-4.12.0-2"},
                           "AUTH before CONNACK that does not continue");
  if (core_.established() && !authenticating_)
    return core_.violation(protocol_error, Clause{"MQTT-4.12.1-1"},
                           "AUTH although no authentication was begun");
  authenticating_ = continues;
  if (!continues)
    end_authentication(auth.properties);
  else if (auth_->mechanism)
    go_on(now, auth);
  if (!wants_close()) handler.on_auth(auth);
}

void ClientSession::go_on(TimePoint now, const AuthView& auth) {
  const auto data = auth.properties.text(PropertyId::authentication_data).value_or("");
  auto answer = auth_->mechanism->answer(data);
  if (!answer) return fail_authentication(std::move(answer.error()));
  Properties properties;
  if (!answer->empty()) properties.add(PropertyId::authentication_data, *answer);
  if (auto sent = this->auth(now, ReasonCode::continue_authentication, properties); !sent)
    fail_authentication(std::move(sent.error()));
}

/// The server is content. It has to be one that the mechanism accepts, too.
void ClientSession::end_authentication(PropertiesView properties) {
  authenticating_ = false;
  if (!auth_) return;
  auth_.make().deadline.reset();
  if (!auth_->mechanism) return;
  auto accepted = auth_->mechanism->finish(properties.text(PropertyId::authentication_data).value_or(""));
  if (!accepted) fail_authentication(std::move(accepted.error()));
}

/// Either side may say with a DISCONNECT that it has had enough (4.12).
void ClientSession::fail_authentication(Error why) {
  const ReasonCode code = ReasonCode::unspecified_error;
  (void)core_.send(DisconnectView{code, {}});
  core_.close({.reason = CloseReason::authentication_failed, .code = code, .fault = std::move(why.context)});
}

void ClientSession::on_disconnect(const DisconnectView& disconnect, SessionHandler& handler) {
  CloseInfo info{.reason = CloseReason::peer_disconnect,
                 .code = disconnect.reason,
                 .reason_string = text_or_empty(disconnect.properties, PropertyId::reason_string),
                 .server_reference = text_or_empty(disconnect.properties, PropertyId::server_reference)};
  if (!core_.established()) {  // wrong, but its words are worth keeping
    info.reason = CloseReason::protocol_error;
    info.error =
        DecodeError{ReasonCode::protocol_error, "MQTT-3.14.0-1", "server sent DISCONNECT before CONNACK", 0};
  }
  core_.close(std::move(info));
  handler.on_disconnect(disconnect);
}

}  // namespace mqtt
