// What an ending means for the next attempt, and ending on purpose.
#include <utility>

#include <mqtt/client/client.hpp>
#include <mqtt/client/server_reference.hpp>
#include <mqtt/client/session_end.hpp>

namespace mqtt {

Ending Client::ending_of_session() const {
  Ending ending{.kind = Ending::Kind::connection_lost,
                .close = *session_.close_info(),
                .was_connected = was_connected_,
                .peer = peer(),
                .first_bytes = first_bytes()};
  if (unusual_->write_error && ending.close.reason == CloseReason::local_disconnect) {
    ending.error = *unusual_->write_error;  // our last packets did not leave
    return ending;
  }
  switch (ending.close.reason) {
    case CloseReason::local_disconnect: ending.kind = Ending::Kind::finished; break;
    case CloseReason::peer_disconnect: ending.kind = Ending::Kind::peer_disconnect; break;
    case CloseReason::refused: ending.kind = Ending::Kind::refused; break;
    case CloseReason::protocol_error: ending.kind = Ending::Kind::protocol_error; break;
    case CloseReason::ping_timeout: ending.kind = Ending::Kind::ping_timeout; break;
    case CloseReason::connack_timeout: ending.kind = Ending::Kind::connack_timeout; break;
    case CloseReason::auth_timeout: ending.kind = Ending::Kind::auth_timeout; break;
    case CloseReason::authentication_failed:
      ending.kind = Ending::Kind::authentication_failed;
      ending.error = Error{ErrorDomain::authentication, 0, ending.close.fault};
      break;
    default: break;
  }
  return ending;
}

Ending Client::lost(Error error) const {
  return {.kind = Ending::Kind::connection_lost,
          .error = std::move(error),
          .was_connected = was_connected_,
          .peer = peer(),
          .first_bytes = first_bytes()};
}

bool Client::falls_back(const Ending& ending) const {
  return options_->version_fallback && !has_connected_ && wanted_version() == Version::v5 &&
         ending.kind == Ending::Kind::refused &&
         ending.close.code == ReasonCode::unsupported_protocol_version;
}

/// Use Another Server is for now, Server Moved for good (4.13, table of reason codes). The transport stays,
/// and with TLS the other server's certificate has to be good for its name.
bool Client::follows(const Ending& ending) {
  if (!retrying_ || options_->target.hosts.empty()) return false;
  if (ending.kind != Ending::Kind::refused && ending.kind != Ending::Kind::peer_disconnect) return false;
  const bool moved = ending.close.code == ReasonCode::server_moved;
  if (!moved && ending.close.code != ReasonCode::use_another_server) return false;
  Unusual& unusual = unusual_.make();
  unusual.elsewhere = parse_server_reference(ending.close.server_reference, own_target().hosts.front().port);
  if (moved && !unusual.elsewhere.empty()) unusual.moved_to = unusual.elsewhere;
  return !unusual.elsewhere.empty();
}

/// A server that accepted our token may end the connection when the token does.
bool Client::token_may_help(const Ending& ending) const {
  return unusual_->renewal && ending.kind == Ending::Kind::peer_disconnect &&
         ending.close.code == ReasonCode::not_authorized;
}

/// A server that accepts us and hangs up on the next message is no better than one that refuses us: only
/// a connection that got somewhere begins the back-off anew.
bool Client::made_progress() const {
  if (!was_connected_) return false;
  return loop().now() - retrying_->accepted_at >= stable_after ||
         session_.in_flight() < retrying_->in_flight_at_accept;
}

void Client::disconnect(ReasonCode reason, PropertiesView properties) {
  leaving_ = true;
  if (state_ == State::over || state_ == State::closing) return;
  if (state_ == State::open && session_.wants_close()) return turn_end_.request();
  if (state_ == State::open && session_.connected() && say_goodbye(reason, properties)) {
    deadline_ = loop().now() + drain_timeout;
    return turn_end_.request();
  }
  if (state_ == State::open && session_owed_ && !was_connected_) return disconnect_after_connack(reason);
  drop_connection();
  finish(Ending{.kind = Ending::Kind::finished, .had_connected = has_connected_});
}

/// The CONNECT on its way may begin a session: were it overtaken by the connection that is to end the
/// session, that would stay.
void Client::disconnect_after_connack(ReasonCode reason) {
  unusual_.make().goodbye_due = reason;
  deadline_ = earlier(deadline_, loop().now() + drain_timeout);
  turn_end_.request();
}

/// False if the connection is to be dropped without DISCONNECT, after what was queued.
bool Client::say_goodbye(ReasonCode reason, PropertiesView properties) {
  const TimePoint now = loop().now();
  // Before 5.0 a DISCONNECT always deletes the Will: who wants it published has to vanish.
  if (reason == ReasonCode::disconnect_with_will && session_.version() != Version::v5) {
    write_output();
    return false;
  }
  if (session_.disconnect(now, reason, properties)) return true;
  // The server's Maximum Packet Size may not leave room for the properties.
  return session_.disconnect(now, ReasonCode::normal_disconnection).has_value();
}

void Client::break_connection(Breakage how, Duration away) {
  if (state_ != State::open || !session_.connected()) return;
  if (retrying_) retrying_->away = away;
  const Error error{ErrorDomain::system, 0, "the connection was broken on purpose"};
  if (how == Breakage::half_close) {
    unusual_.make().write_error = error;
    session_.output().clear();
    return stream_->shutdown();  // on_end() follows
  }
  stream_->reset();
  end_attempt(lost(error));
}

}  // namespace mqtt
