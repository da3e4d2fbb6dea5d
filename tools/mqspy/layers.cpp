#include "mqspy/layers.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

namespace mq::spy {
namespace {

using mqtt::Bytes;
using Kind = Dissected::Kind;

constexpr std::uint16_t ether_ipv4 = 0x0800, ether_ipv6 = 0x86DD, ether_vlan = 0x8100, ether_qinq = 0x88A8,
                        ether_qinq_old = 0x9100;
constexpr std::uint8_t protocol_tcp = 6, fragment_header = 44;

std::uint16_t u16(Bytes from, std::size_t at) {
  return static_cast<std::uint16_t>(from[at] << 8 | from[at + 1]);
}
std::uint32_t u32(Bytes from, std::size_t at) {
  return std::uint32_t{u16(from, at)} << 16 | u16(from, at + 2);
}

NetEnd ipv4_end(Bytes address) {
  NetEnd end;
  end.address[10] = end.address[11] = 0xFF;
  std::ranges::copy(address, end.address.begin() + 12);
  return end;
}

NetEnd ipv6_end(Bytes address) {
  NetEnd end;
  std::ranges::copy(address, end.address.begin());
  return end;
}

class Layers {
 public:
  Layers(Dissected& out, mqtt::TimePoint time) : out_{out}, time_{time} {}

  Kind link(LinkType type, Bytes bytes) {
    switch (type) {
      case LinkType::ethernet:
        return bytes.size() < 14 ? Kind::damaged : ether(u16(bytes, 12), bytes.subspan(14));
      case LinkType::null:
      case LinkType::loop: return bytes.size() < 4 ? Kind::damaged : ip(bytes.subspan(4));
      case LinkType::raw:
      case LinkType::raw_bsd:
      case LinkType::ipv4:
      case LinkType::ipv6: return ip(bytes);
      case LinkType::linux_sll:
        return bytes.size() < 16 ? Kind::damaged : ether(u16(bytes, 14), bytes.subspan(16));
      case LinkType::linux_sll2:
        return bytes.size() < 20 ? Kind::damaged : ether(u16(bytes, 0), bytes.subspan(20));
      case LinkType::upper_pdu: return exported(bytes);
    }
    return Kind::unknown_link;
  }

  /// Behind IP's own header: extension headers of IPv6, then TCP. `total` is what was sent.
  Kind payload(std::uint8_t next, Bytes rest, std::size_t total) {
    while (next != protocol_tcp) {
      const std::size_t size = extension_size(next, rest);
      if (size == 0) return Kind::other;
      if (size > rest.size()) return Kind::damaged;
      if (next == fragment_header && (u16(rest, 2) & 0xFFF9) != 0) return ipv6_fragment(rest, total);
      next = rest[0];
      rest = rest.subspan(size);
      total -= size;
    }
    return tcp(rest, total);
  }

 private:
  Kind ether(std::uint16_t type, Bytes bytes) {
    while ((type == ether_vlan || type == ether_qinq || type == ether_qinq_old) && bytes.size() >= 4) {
      type = u16(bytes, 2);
      bytes = bytes.subspan(4);
    }
    return type == ether_ipv4 || type == ether_ipv6 ? ip(bytes) : Kind::other;
  }

  /// Its first byte says which.
  Kind ip(Bytes bytes) {
    if (bytes.empty()) return Kind::damaged;
    if (bytes[0] >> 4 == 4) return ipv4(bytes);
    return bytes[0] >> 4 == 6 ? ipv6(bytes) : Kind::other;
  }

  Kind ipv4(Bytes bytes) {
    if (bytes.size() < 20) return Kind::damaged;
    const std::size_t header = (bytes[0] & 15u) * 4;
    // A sender whose network card cuts packets leaves the length at 0.
    const std::size_t total = u16(bytes, 2) == 0 ? bytes.size() : u16(bytes, 2);
    if (header < 20 || header > bytes.size() || total < header) return Kind::damaged;
    if (bytes[9] != protocol_tcp) return Kind::other;
    out_.tcp.from = ipv4_end(bytes.subspan(12, 4));
    out_.tcp.to = ipv4_end(bytes.subspan(16, 4));
    const Bytes rest = bytes.subspan(header, std::min(bytes.size(), total) - header);
    const std::uint16_t part = u16(bytes, 6);
    if ((part & 0x3FFF) == 0) return tcp(rest, total - header);
    return fragment({.id = u16(bytes, 4),
                     .offset = (part & 0x1FFFu) * 8,
                     .next = bytes[9],
                     .more = (part & 0x2000) != 0,
                     .complete = rest.size() == total - header,
                     .bytes = rest});
  }

  Kind ipv6_fragment(Bytes header, std::size_t total) {
    const std::uint16_t part = u16(header, 2);
    return fragment({.id = u32(header, 4),
                     .offset = part & 0xFFF8u,
                     .next = header[0],
                     .more = (part & 1) != 0,
                     .complete = header.size() == total,
                     .bytes = header.subspan(8)});
  }

  Kind fragment(IpFragment made) {
    made.from = out_.tcp.from;
    made.to = out_.tcp.to;
    made.from.port = made.to.port = 0;  // of the packet before
    made.time = time_;
    out_.fragment = made;
    return Kind::fragment;
  }

  Kind ipv6(Bytes bytes) {
    if (bytes.size() < 40) return Kind::damaged;
    out_.tcp.from = ipv6_end(bytes.subspan(8, 16));
    out_.tcp.to = ipv6_end(bytes.subspan(24, 16));
    const std::size_t said = u16(bytes, 4);
    const Bytes rest = bytes.subspan(40);
    const std::size_t total = said == 0 ? rest.size() : said;
    return payload(bytes[6], rest.first(std::min(rest.size(), total)), total);
  }

  /// Bytes of an extension header (RFC 8200, section 4); 0 for what is none.
  static std::size_t extension_size(std::uint8_t type, Bytes header) {
    const bool known = type == 0 || type == 43 || type == 44 || type == 51 || type == 60 || type == 135;
    if (!known || header.size() < 8) return known ? header.size() + 1 : 0;
    if (type == 44) return 8;
    return type == 51 ? (header[1] + 2u) * 4 : (header[1] + 1u) * 8;
  }

  Kind tcp(Bytes bytes, std::size_t sent) {
    if (bytes.size() < 20) return Kind::damaged;
    const std::size_t header = (bytes[12] >> 4) * 4u;
    if (header < 20 || sent < header) return Kind::damaged;
    TcpSegment& t = out_.tcp;
    t.time = time_;
    t.from.port = u16(bytes, 0);
    t.to.port = u16(bytes, 2);
    t.sequence = u32(bytes, 4);
    t.acknowledged = u32(bytes, 8);
    t.fin = (bytes[13] & 1) != 0;
    t.syn = (bytes[13] & 2) != 0;
    t.rst = (bytes[13] & 4) != 0;
    t.ack = (bytes[13] & 16) != 0;
    t.payload = bytes.subspan(std::min(header, bytes.size()));
    t.payload_size = static_cast<std::uint32_t>(sent - header);
    return Kind::tcp;
  }

  /// Tags of type and length, then the packet (Wireshark's epan/exported_pdu.h).
  Kind exported(Bytes bytes) {
    ExportedPdu& pdu = out_.pdu;
    pdu = {};
    pdu.time = time_;
    std::string_view protocol;
    while (bytes.size() >= 4) {
      const std::uint16_t tag = u16(bytes, 0), size = u16(bytes, 2);
      bytes = bytes.subspan(4);
      if (tag == 0) {
        pdu.payload = bytes;
        return protocol == "mqtt" ? Kind::pdu : Kind::other;
      }
      if (size > bytes.size()) return Kind::damaged;
      tagged(tag, bytes.first(size), protocol);
      bytes = bytes.subspan(size);
    }
    return Kind::damaged;
  }

  void tagged(std::uint16_t tag, Bytes value, std::string_view& protocol) {
    NetEnd& end = tag == 20 || tag == 22 || tag == 25 ? out_.pdu.from : out_.pdu.to;
    const auto keep = [&end](const NetEnd& read) { end.address = read.address; };
    if (tag == 12) protocol = mqtt::as_text(value).substr(0, mqtt::as_text(value).find('\0'));
    if ((tag == 20 || tag == 21) && value.size() == 4) keep(ipv4_end(value));
    if ((tag == 22 || tag == 23) && value.size() == 16) keep(ipv6_end(value));
    if ((tag == 25 || tag == 26) && value.size() == 4) end.port = u16(value, 2);
  }

  Dissected& out_;
  mqtt::TimePoint time_;
};

}  // namespace

bool is_ipv4(const NetEnd& end) {
  return end.address[10] == 0xFF && end.address[11] == 0xFF &&
         std::all_of(end.address.begin(), end.address.begin() + 10,
                     [](std::uint8_t byte) { return byte == 0; });
}

std::string to_string(const NetEnd& end) {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_ipv4(end)) {
    ::inet_ntop(AF_INET, end.address.data() + 12, text, sizeof text);
    return fmt::format("{}:{}", text, end.port);
  }
  ::inet_ntop(AF_INET6, end.address.data(), text, sizeof text);
  return fmt::format("[{}]:{}", text, end.port);
}

void dissect_layers(Dissected& out, const CapturedPacket& packet) {
  out.kind = Layers{out, packet.time}.link(packet.link, packet.bytes);
  if (out.kind == Dissected::Kind::pdu && packet.original_size > packet.bytes.size())
    out.pdu.left_out = packet.original_size - static_cast<std::uint32_t>(packet.bytes.size());
}

void dissect_payload(Dissected& out, const IpFragment& of, std::uint8_t next, mqtt::Bytes payload) {
  out.tcp.from = of.from;
  out.tcp.to = of.to;
  out.kind = Layers{out, of.time}.payload(next, payload, payload.size());
}

}  // namespace mq::spy
