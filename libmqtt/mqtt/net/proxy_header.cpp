#include <mqtt/net/proxy_header.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

using MaybeHeader = std::optional<ProxyHeader>;

constexpr std::string_view v1_signature = "PROXY ";
constexpr std::string_view v2_signature{"\r\n\r\n\0\r\nQUIT\n", 12};

std::unexpected<Error> not_proxied() {
  return fail(ErrorDomain::system, EPROTO, "no PROXY protocol header (does the proxy send one?)");
}

std::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorDomain::system, EPROTO, "malformed PROXY protocol header: " + std::string{why});
}

/// Up to the next space, which goes, too.
std::string_view take_word(std::string_view& line) {
  const std::size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  return word;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  const bool led_by_zero = text.size() > 1 && text.front() == '0';
  return led_by_zero ? std::nullopt : parse_number<std::uint16_t>(text);
}

std::optional<SocketAddress> parse_address(std::string_view text, std::string_view port, Family family) {
  const auto number = parse_port(port);
  const bool scoped = text.contains('%');  // good on the host alone that has the interface
  if (!number || scoped) return std::nullopt;
  auto address = SocketAddress::parse(text, *number);
  return address && address->family() == family ? address : std::nullopt;
}

Result<MaybeHeader> read_v1_line(std::string_view line) {
  ProxyHeader header{.size = line.size() + 2, .source = {}};
  line.remove_prefix(v1_signature.size());
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return header;  // the rest is to be ignored
  const std::string_view protocol = take_word(line);
  if (protocol != "TCP4" && protocol != "TCP6") return malformed("neither TCP4, TCP6 nor UNKNOWN");
  const Family family = protocol == "TCP4" ? Family::ipv4 : Family::ipv6;
  const std::string_view source = take_word(line), target = take_word(line), source_port = take_word(line);
  header.source = parse_address(source, source_port, family);
  if (!header.source) return malformed("its source is no address of its family and port");
  if (!parse_address(target, line, family))  // `line` is the last word, with whatever follows it
    return malformed("its destination is no address of its family and port");
  return header;
}

Result<MaybeHeader> parse_v1(std::string_view received) {
  const std::string_view longest = received.substr(0, proxy_v1_max_bytes);
  const std::size_t end = longest.find("\r\n");
  if (end != std::string_view::npos) return read_v1_line(received.substr(0, end));
  if (received.size() < proxy_v1_max_bytes) return std::nullopt;
  return malformed("its line is too long");
}

SocketAddress ipv4_address(Bytes address, Bytes port) {
  sockaddr_in raw{};
  raw.sin_family = AF_INET;
  std::memcpy(&raw.sin_addr, address.data(), sizeof raw.sin_addr);
  std::memcpy(&raw.sin_port, port.data(), sizeof raw.sin_port);
  return *SocketAddress::from(reinterpret_cast<const sockaddr*>(&raw));
}

SocketAddress ipv6_address(Bytes address, Bytes port) {
  sockaddr_in6 raw{};
  raw.sin6_family = AF_INET6;
  std::memcpy(&raw.sin6_addr, address.data(), sizeof raw.sin6_addr);
  std::memcpy(&raw.sin6_port, port.data(), sizeof raw.sin6_port);
  return *SocketAddress::from(reinterpret_cast<const sockaddr*>(&raw));
}

/// `block`: source address, destination address, source port, destination port.
Result<MaybeHeader> read_v2_source(ProxyHeader header, std::uint8_t family_and_protocol, Bytes block) {
  constexpr unsigned inet = 1, inet6 = 2, unix_socket = 3, stream = 1, datagram = 2;  // 0: unspecified
  const unsigned family = family_and_protocol >> 4U, protocol = family_and_protocol & 15U;
  if (family > unix_socket || protocol > datagram) return malformed("unassigned address family or protocol");
  constexpr std::array<std::size_t, 4> block_bytes{0, 12, 36, 216};
  if (block.size() < block_bytes[family]) return malformed("too short for its addresses");
  if (protocol != stream) return header;
  if (family == inet) header.source = ipv4_address(block.first(4), block.subspan(8, 2));
  if (family == inet6) header.source = ipv6_address(block.first(16), block.subspan(32, 2));
  return header;
}

Result<MaybeHeader> parse_v2(Bytes received) {
  constexpr std::size_t fixed_bytes = 16;
  constexpr std::uint8_t local = 0x20, proxied = 0x21;  // version 2 and a command
  const std::size_t command_at = v2_signature.size();
  if (received.size() > command_at && received[command_at] != local && received[command_at] != proxied)
    return malformed("unknown version or command");
  if (received.size() < fixed_bytes) return std::nullopt;
  const ProxyHeader header{.size = fixed_bytes + (std::size_t{received[14]} << 8 | received[15]),
                           .source = {}};
  if (header.size > proxy_v2_max_bytes) return malformed("too long");
  if (received.size() < header.size) return std::nullopt;
  if (received[command_at] == local) return header;
  return read_v2_source(header, received[13], received.first(header.size).subspan(fixed_bytes));
}

/// As far as both go.
bool agree(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  return a.substr(0, size) == b.substr(0, size);
}

}  // namespace

Result<std::optional<ProxyHeader>> parse_proxy_header(Bytes received) {
  const std::string_view text = as_text(received);
  if (agree(text, v2_signature)) return parse_v2(received);
  if (agree(text, v1_signature)) return parse_v1(text);
  return not_proxied();
}

}  // namespace mqtt::net
