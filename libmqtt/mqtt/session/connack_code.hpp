#pragma once
#include <optional>

#include <mqtt/codec/reason.hpp>

namespace mqtt {

/// The CONNACK return code of 3.1 and 3.1.1 that says the same; nothing where none does.
[[nodiscard]] constexpr std::optional<ConnectReturnCode> to_return_code(ReasonCode reason) {
  switch (reason) {
    case ReasonCode::unsupported_protocol_version: return ConnectReturnCode::unacceptable_protocol_version;
    case ReasonCode::client_identifier_not_valid: return ConnectReturnCode::identifier_rejected;
    case ReasonCode::server_unavailable:
    case ReasonCode::server_busy:
    case ReasonCode::quota_exceeded:
    case ReasonCode::use_another_server:
    case ReasonCode::server_moved:
    case ReasonCode::connection_rate_exceeded: return ConnectReturnCode::server_unavailable;
    case ReasonCode::bad_user_name_or_password: return ConnectReturnCode::bad_user_name_or_password;
    case ReasonCode::not_authorized:
    case ReasonCode::bad_authentication_method:
    case ReasonCode::banned: return ConnectReturnCode::not_authorized;
    default: return std::nullopt;
  }
}

}  // namespace mqtt
