#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "mqspy/capture.hpp"

// From a captured packet to its TCP segment.

namespace mq::spy {

/// An IP address and a port. IPv4 is kept as its mapped form.
struct NetEnd {
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;

  auto operator<=>(const NetEnd&) const = default;
};

/// "10.0.0.7:51234", "[::1]:1883"
[[nodiscard]] std::string to_string(const NetEnd& end);
[[nodiscard]] bool is_ipv4(const NetEnd& end);

struct TcpSegment {
  NetEnd from;
  NetEnd to;
  mqtt::TimePoint time;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  bool syn = false, ack = false, fin = false, rst = false;
  mqtt::Bytes payload;             ///< what was kept of it
  std::uint32_t payload_size = 0;  ///< what was sent
};

/// Whole packets of MQTT without the layers below them, as Wireshark exports them.
struct ExportedPdu {
  NetEnd from;
  NetEnd to;
  mqtt::TimePoint time;
  mqtt::Bytes payload;
};

/// What a packet is, or why it is not looked at.
struct Dissected {
  enum class Kind : std::uint8_t {
    tcp,
    pdu,
    other,         ///< no TCP: of no interest
    fragment,      ///< of an IP packet
    unknown_link,  ///< a link layer that we do not know
    damaged,       ///< shorter than its headers
  };
  Kind kind = Kind::other;
  TcpSegment tcp{};
  ExportedPdu pdu{};
};

void dissect_layers(Dissected& out, const CapturedPacket& packet);

}  // namespace mq::spy
