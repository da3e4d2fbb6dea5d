#pragma once
#include <cstdint>
#include <string>

#include <mqtt/session/close_info.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt {

/// How a connection ended, or why it did not come to be.
struct Ending {
  enum class Kind : std::uint8_t {
    finished,               ///< disconnect() was asked for and done
    bad_options,            ///< CONNECT cannot be sent as asked: `error`
    open_failed,            ///< no lookup, connection, TLS or WebSocket: `error`
    refused,                ///< CONNACK: `close`
    connack_timeout,        ///< nothing within the connect timeout
    peer_disconnect,        ///< the server's DISCONNECT: `close`
    protocol_error,         ///< what the server sent is not MQTT: `close.error`
    ping_timeout,           ///< no answer to PINGREQ
    auth_timeout,           ///< no end of a re-authentication
    authentication_failed,  ///< the server failed the authentication: `error`
    connection_lost,        ///< the transport broke or closed: `error`
  };

  Kind kind = Kind::finished;
  /// With `finished`: what broke the connection after our DISCONNECT, before the server closed it.
  Error error{};
  CloseInfo close{};
  bool was_connected = false;  ///< CONNACK had accepted the connection
  bool had_connected = false;  ///< it, or an earlier one of the same client
  std::string peer{};          ///< "127.0.0.1:1883"; empty if nothing was reached
  /// The first bytes that the server ever sent on this connection, at most 16: they tell an HTTP or
  /// TLS server from a broken MQTT server.
  std::string first_bytes{};
};

}  // namespace mqtt
