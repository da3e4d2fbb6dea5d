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
  std::uint32_t left_out = 0;  ///< bytes behind it that were sent and not kept
};

/// A part of an IP packet's payload.
struct IpFragment {
  NetEnd from{};  ///< without ports
  NetEnd to{};
  mqtt::TimePoint time{};
  std::uint32_t id = 0;
  std::uint32_t offset = 0;  ///< in the payload, bytes
  std::uint8_t next = 0;     ///< the first one: the protocol, or IPv6's next header, of the payload
  bool more = false;         ///< it is not the last one
  bool complete = false;     ///< all of it was captured
  mqtt::Bytes bytes{};
};

/// What a packet is, or why it is not looked at.
struct Dissected {
  enum class Kind : std::uint8_t {
    tcp,
    pdu,
    other,         ///< no TCP: of no interest
    fragment,      ///< of an IP packet that may hold TCP
    unknown_link,  ///< a link layer that we do not know
    damaged,       ///< shorter than its headers
  };
  Kind kind = Kind::other;
  TcpSegment tcp{};
  ExportedPdu pdu{};
  IpFragment fragment{};
};

void dissect_layers(Dissected& out, const CapturedPacket& packet);
/// The same for the payload of an IP packet that was put together of fragments such as `of`; `next` is what
/// it begins with.
void dissect_payload(Dissected& out, const IpFragment& of, std::uint8_t next, mqtt::Bytes payload);

}  // namespace mq::spy
