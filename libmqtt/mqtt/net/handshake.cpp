#include <mqtt/net/handshake.hpp>

#include <mqtt/net/time_limit.hpp>

namespace mqtt::net {

Error handshake_error(Handshake step, Error error) {
  if (error.domain != ErrorDomain::system) return error;
  if (step == Handshake::tls) return {ErrorDomain::tls, 0, error.context + " during TLS handshake"};
  return {ErrorDomain::websocket, 0, error.context + " during the WebSocket upgrade"};
}

Error handshake_timeout(Handshake step, const std::string& peer, Duration limit) {
  return timeout_error(
      (step == Handshake::tls ? "no TLS handshake from " : "no WebSocket upgrade from ") + peer, limit);
}

}  // namespace mqtt::net
