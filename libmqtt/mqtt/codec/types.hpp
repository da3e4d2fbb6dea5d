#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mqtt {

/// Protocol Level as it stands in CONNECT (3.1.2.2).
enum class Version : std::uint8_t { v3_1 = 3, v3_1_1 = 4, v5 = 5 };

/// MQTT Control Packet types (2.1.2).
enum class PacketType : std::uint8_t {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
  auth
};

enum class QoS : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };

/// Retain Handling of a subscription (MQTT 5.0, 3.8.3.1).
enum class RetainHandling : std::uint8_t { send = 0, send_if_new = 1, do_not_send = 2 };

/// Packet Identifier (2.2.1); 0 stands only for "none" (QoS 0).
using PacketId = std::uint16_t;

/// Which way a packet travels; some rules hold for one side only.
enum class Sender : std::uint8_t { client, server };
[[nodiscard]] constexpr Sender other(Sender sender) {
  return sender == Sender::client ? Sender::server : Sender::client;
}

/// The largest Remaining Length a Variable Byte Integer can say (1.5.5).
inline constexpr std::uint32_t remaining_length_max = 268'435'455;
/// Fixed header (5 bytes) and the longest body.
inline constexpr std::uint32_t packet_size_max = remaining_length_max + 5;
/// A string or binary field has a two-byte length (1.5.4, 1.5.6).
inline constexpr std::size_t field_size_max = 65'535;
inline constexpr std::uint16_t receive_maximum_default = 65'535;

/// "3.1", "3.1.1" or "5.0".
[[nodiscard]] std::string_view to_string(Version version);
/// "CONNECT" … "AUTH"; "RESERVED" for anything else.
[[nodiscard]] std::string_view to_string(PacketType type);

[[nodiscard]] constexpr std::uint8_t to_number(QoS qos) { return static_cast<std::uint8_t>(qos); }

}  // namespace mqtt
