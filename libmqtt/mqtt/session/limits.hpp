#pragma once
#include <cstdint>

#include <mqtt/codec/property.hpp>
#include <mqtt/codec/types.hpp>

namespace mqtt {

/// In flight before MQTT 5.0, which first let the receiver say how much it takes. 20 is what brokers
/// in the field allow by default; more makes some of them drop messages.
inline constexpr std::uint16_t send_window_before_v5 = 20;

/// What a peer lets us send; the defaults are those of a peer that says nothing.
struct PeerLimits {
  std::uint16_t receive_maximum = receive_maximum_default;
  std::uint16_t topic_alias_maximum = 0;
  std::uint32_t maximum_packet_size = packet_size_max;
};

/// Reads Receive Maximum, Topic Alias Maximum and Maximum Packet Size of CONNECT or CONNACK.
[[nodiscard]] PeerLimits read_peer_limits(PropertiesView properties);

/// What CONNACK said. Before 5.0 everything but session_present and keep_alive is default.
struct ServerLimits : PeerLimits {
  bool session_present = false;
  QoS maximum_qos = QoS::exactly_once;
  bool retain_available = true;
  bool wildcard_available = true;
  bool subscription_identifier_available = true;
  bool shared_available = true;
  std::uint16_t keep_alive = 0;               ///< seconds, in force: the server's if it named one, else ours
  std::uint32_t session_expiry_interval = 0;  ///< seconds, in force
};

/// Reads all limits that CONNACK announces; what it leaves out keeps `limits`' value, but for PeerLimits.
void read_server_limits(PropertiesView properties, ServerLimits& limits);

}  // namespace mqtt
