#include <mqtt/net/handshake.hpp>

#include <fmt/format.h>

#include <mqtt/net/time_limit.hpp>

namespace mqtt::net {
namespace {

const char* name_of(Handshake step) {
  switch (step) {
    case Handshake::proxy: return "PROXY protocol header";
    case Handshake::tls: return "TLS handshake";
    case Handshake::websocket: break;
  }
  return "WebSocket upgrade";
}

}  // namespace

Error handshake_error(Handshake step, Error error) {
  if (error.domain != ErrorDomain::system) return error;
  switch (step) {
    case Handshake::proxy: break;
    case Handshake::tls: return {ErrorDomain::tls, 0, error.context + " during TLS handshake"};
    case Handshake::websocket:
      return {ErrorDomain::websocket, 0, error.context + " during the WebSocket upgrade"};
  }
  return error;
}

Error handshake_timeout(Handshake step, const std::string& peer, Duration limit) {
  return timeout_error(fmt::format("no {} from {}", name_of(step), peer), limit);
}

}  // namespace mqtt::net
