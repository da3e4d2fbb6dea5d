#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include <mqtt/util/error.hpp>

namespace mqtt {

/// Why a session refuses what its caller asks: the `code` of an Error in ErrorDomain::session.
/// Nothing was queued and nothing changed when one of these is returned.
enum class SessionFault : int {
  not_connected = 1,  ///< no CONNACK yet, or the connection is closing
  wrong_state,        ///< the call does not fit the state (a second connect(), an answer nobody waits for)
  invalid_topic,      ///< a topic name or filter breaks 4.7, or there is none
  bad_property,       ///< a property that may not stand there, or any property before MQTT 5.0
  bad_option,         ///< a connect or subscription option that this version does not have
  bad_reason_code,    ///< a reason code that this packet may not carry
  field_too_long,     ///< a field above 65,535 bytes, or a packet above 268,435,455
  packet_too_large,   ///< above the peer's Maximum Packet Size
  qos_not_supported,  ///< above the server's Maximum QoS
  retain_not_supported,
  wildcard_not_supported,
  shared_not_supported,
  subscription_identifier_not_supported,
  alias_misuse,              ///< Topic Alias above the peer's maximum, zero, or never set
  quota_exhausted,           ///< Receive Maximum messages are in flight: hold back until one is answered
  no_packet_id,              ///< all 65,535 are in use
  session_expiry,            ///< DISCONNECT may not raise a Session Expiry Interval of 0 [MQTT-3.14.2-2]
  no_authentication_method,  ///< AUTH needs a method in CONNECT [MQTT-4.12.0-7]
  bad_credentials,           ///< a user name or password that the method cannot carry
};

[[nodiscard]] std::unexpected<Error> fail(SessionFault fault, std::string context);

/// Which fault an Error is; `error` must be of ErrorDomain::session.
[[nodiscard]] inline SessionFault session_fault(const Error& error) {
  return static_cast<SessionFault>(error.code);
}

/// "3,000,012".
[[nodiscard]] std::string with_commas(std::uint64_t number);

}  // namespace mqtt
