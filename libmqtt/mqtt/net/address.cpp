#include <mqtt/net/address.hpp>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include <cstring>

#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

/// The interface's index: "fe80::1%eth0" or "fe80::1%2". 0 if there is none of that name.
std::uint32_t scope_index(const std::string& scope) {
  const auto number = parse_number<std::uint32_t>(scope);
  return number ? *number : if_nametoindex(scope.c_str());
}

std::string ipv6_text(const sockaddr_in6& address) {
  char digits[INET6_ADDRSTRLEN] = {};
  inet_ntop(AF_INET6, &address.sin6_addr, digits, sizeof digits);
  char name[IF_NAMESIZE] = {};
  if (address.sin6_scope_id == 0) return digits;
  if (if_indextoname(address.sin6_scope_id, name)) return fmt::format("{}%{}", digits, name);
  return fmt::format("{}%{}", digits, address.sin6_scope_id);
}

std::optional<sockaddr_in6> parse_ipv6(const std::string& text, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  const std::size_t percent = text.find('%');
  if (inet_pton(AF_INET6, text.substr(0, percent).c_str(), &address.sin6_addr) != 1) return std::nullopt;
  if (percent == std::string::npos) return address;
  address.sin6_scope_id = scope_index(text.substr(percent + 1));
  if (address.sin6_scope_id == 0) return std::nullopt;
  return address;
}

}  // namespace

std::optional<SocketAddress> SocketAddress::parse(std::string_view text, std::uint16_t port) {
  const std::string literal{text};
  if (literal.find('\0') != std::string::npos) return std::nullopt;
  SocketAddress result;
  sockaddr_in& v4 = result.storage_.v4;
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_pton(AF_INET, literal.c_str(), &v4.sin_addr) == 1) return result;
  const auto v6 = parse_ipv6(literal, port);
  if (!v6) return std::nullopt;
  return from(reinterpret_cast<const sockaddr*>(&*v6));
}

std::optional<SocketAddress> SocketAddress::from(const sockaddr* address) {
  SocketAddress result;
  if (address->sa_family == AF_INET)
    std::memcpy(&result.storage_, address, sizeof(sockaddr_in));
  else if (address->sa_family == AF_INET6)
    std::memcpy(&result.storage_, address, sizeof(sockaddr_in6));
  else
    return std::nullopt;
  return result;
}

Family SocketAddress::family() const {
  return storage_.any.sa_family == AF_INET6 ? Family::ipv6 : Family::ipv4;
}

socklen_t SocketAddress::raw_size() const {
  return family() == Family::ipv6 ? sizeof storage_.v6 : sizeof storage_.v4;
}

std::uint16_t SocketAddress::port() const {
  return ntohs(family() == Family::ipv6 ? storage_.v6.sin6_port : storage_.v4.sin_port);
}

void SocketAddress::set_port(std::uint16_t port) {
  (family() == Family::ipv6 ? storage_.v6.sin6_port : storage_.v4.sin_port) = htons(port);
}

std::string SocketAddress::text() const { return host_and_port(host_text(), port()); }

std::string SocketAddress::host_text() const {
  if (family() == Family::ipv6) return ipv6_text(storage_.v6);
  char digits[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &storage_.v4.sin_addr, digits, sizeof digits);
  return digits;
}

bool is_ip_literal(std::string_view host) { return SocketAddress::parse(host, 0).has_value(); }

std::string host_and_port(std::string_view host, std::uint16_t port) {
  return host.find(':') == std::string_view::npos ? fmt::format("{}:{}", host, port)
                                                  : fmt::format("[{}]:{}", host, port);
}

}  // namespace mqtt::net
