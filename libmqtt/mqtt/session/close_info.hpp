#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <mqtt/codec/decode_error.hpp>
#include <mqtt/codec/reason.hpp>

namespace mqtt {

enum class CloseReason : std::uint8_t {
  local_disconnect,       ///< disconnect() was called and its packet is queued
  peer_disconnect,        ///< the peer sent DISCONNECT; `code` is its reason
  refused,                ///< CONNACK with an error: received by a client, sent by a server
  protocol_error,         ///< the peer broke the protocol; `error` says how
  connack_timeout,        ///< client: no CONNACK in time
  ping_timeout,           ///< client: no sign of life after PINGREQ
  auth_timeout,           ///< client: no end of a re-authentication in time
  authentication_failed,  ///< client: the server failed the mechanism; `fault` says how
  connect_timeout,        ///< server: no CONNECT in time
  keep_alive_timeout,     ///< server: silence for 1.5 times the Keep Alive
  overload,               ///< server: more input than may be held before CONNECT is answered
};

/// Why a session wants its transport closed. What is queued in output() is to be written first.
struct CloseInfo {
  CloseReason reason = CloseReason::local_disconnect;
  /// Of the DISCONNECT or CONNACK that was received or sent; before 5.0 the code of the same meaning.
  ReasonCode code = ReasonCode::success;
  /// The byte of a 3.1 or 3.1.1 CONNACK.
  ConnectReturnCode return_code = ConnectReturnCode::accepted;
  std::string reason_string{};         ///< the peer's words, or empty
  std::string server_reference{};      ///< where the peer sends us, or empty
  std::optional<DecodeError> error{};  ///< for protocol_error
  std::string fault{};                 ///< for authentication_failed: a clause for a person
};

}  // namespace mqtt
