#include <mqtt/net/socks.hpp>

#include <fmt/format.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <utility>

#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

constexpr std::uint8_t socks_version = 5, login_version = 1;
constexpr std::uint8_t no_login = 0, user_and_password = 2, nothing_acceptable = 0xFF;
constexpr std::uint8_t connect_command = 1;
constexpr std::uint8_t ipv4 = 1, domain_name = 3, ipv6 = 4;
constexpr std::size_t field_max_bytes = 255;  // a one-byte length

std::string bytes(std::initializer_list<std::uint8_t> values) {
  return {reinterpret_cast<const char*>(values.begin()), values.size()};
}

std::string with_length(std::string_view text) { return static_cast<char>(text.size()) + std::string{text}; }

/// Type and bytes of an address, or nothing for a name.
std::string literal_field(const std::string& host) {
  const auto address = SocketAddress::parse(host, 0);
  if (!address) return {};
  const auto text = [](const auto& value) {
    return std::string{reinterpret_cast<const char*>(&value), sizeof value};
  };
  if (address->family() == Family::ipv4)
    return bytes({ipv4}) + text(reinterpret_cast<const sockaddr_in*>(address->raw())->sin_addr);
  return bytes({ipv6}) + text(reinterpret_cast<const sockaddr_in6*>(address->raw())->sin6_addr);
}

/// Bytes of a reply up to the type of its address and, for a name, that name's length.
constexpr std::size_t reply_head_bytes = 5;

/// Bytes of the whole reply, by its first five (RFC 1928 section 6); 0 for an unknown type of address.
std::size_t reply_bytes(Bytes head) {
  constexpr std::size_t fixed = 4 + 2;  // up to the type; port
  switch (head[3]) {
    case ipv4: return fixed + 4;
    case ipv6: return fixed + 16;
    case domain_name: return fixed + 1 + head[4];
    default: return 0;
  }
}

struct Refusal {
  int code;
  std::string_view what;
};

/// By their numbers (RFC 1928 section 6).
constexpr std::array<Refusal, 9> refusals{{{EIO, "unknown reply"},
                                           {EIO, "general failure"},
                                           {EACCES, "not allowed by its rules"},
                                           {ENETUNREACH, "network unreachable"},
                                           {EHOSTUNREACH, "host unreachable"},
                                           {ECONNREFUSED, "connection refused"},
                                           {ETIMEDOUT, "time to live expired"},
                                           {EPROTO, "command not supported"},
                                           {EAFNOSUPPORT, "type of address not supported"}}};

std::unexpected<Error> not_socks(Bytes received) {
  // An HTTP server answers our first bytes with an error page.
  const bool http = received[0] == 'H';
  return proxy_fault(EPROTO, http ? "does not speak SOCKS 5, but HTTP" : "does not speak SOCKS 5");
}

}  // namespace

SocksDialog::SocksDialog(const ProxyServer& proxy, HostPort destination)
    : destination_{std::move(destination)},
      user_name_{proxy.user_name.value_or("")},
      password_{proxy.password},
      has_login_{proxy.user_name.has_value()} {}

Result<std::string> SocksDialog::begin() const {
  if (user_name_.size() > field_max_bytes || password_.size() > field_max_bytes)
    return proxy_fault(EINVAL, "cannot be told a user name or password of more than 255 bytes");
  if (literal_field(destination_.host).empty() && destination_.host.size() > field_max_bytes)
    return proxy_fault(EINVAL, "cannot be told a name of more than 255 bytes");
  if (has_login_) return bytes({socks_version, 2, no_login, user_and_password});
  return bytes({socks_version, 1, no_login});
}

Result<DialogStep> SocksDialog::receive(Bytes received) {
  switch (expected_) {
    case Expected::method: return on_method(received);
    case Expected::login: return on_login(received);
    case Expected::reply: break;
  }
  return on_reply(received);
}

Result<DialogStep> SocksDialog::on_method(Bytes received) {
  if (received.empty()) return DialogStep{};
  if (received[0] != socks_version) return not_socks(received);
  if (received.size() < 2) return DialogStep{};
  const std::uint8_t method = received[1];
  if (method == no_login) {
    expected_ = Expected::reply;
    return DialogStep{2, request()};
  }
  if (method == user_and_password && has_login_) {
    expected_ = Expected::login;
    return DialogStep{2, login()};
  }
  if (method == nothing_acceptable || method == user_and_password)
    return proxy_fault(EACCES, has_login_ ? "does not take a user name and password" : "wants credentials");
  return proxy_fault(EPROTO, fmt::format("selected authentication method {}, which was not offered", method));
}

/// RFC 1929. Servers disagree about the first byte, so only the status counts.
Result<DialogStep> SocksDialog::on_login(Bytes received) {
  if (received.size() < 2) return DialogStep{};
  if (received[1] != 0) return proxy_fault(EACCES, "refused the user name and password");
  expected_ = Expected::reply;
  return DialogStep{2, request()};
}

Result<DialogStep> SocksDialog::on_reply(Bytes received) const {
  if (received.empty()) return DialogStep{};
  if (received[0] != socks_version) return not_socks(received);
  if (received.size() < 2) return DialogStep{};
  // A refusal may be cut short: some say no more than this before they close.
  if (received[1] != 0) return std::unexpected(refused(received[1]));
  if (received.size() < reply_head_bytes) return DialogStep{};
  const std::size_t size = reply_bytes(received);
  if (size == 0) return proxy_fault(EPROTO, "sent a reply with an unknown type of address");
  if (received.size() < size) return DialogStep{};
  return DialogStep{size, {}, true};
}

std::string SocksDialog::login() const {
  return bytes({login_version}) + with_length(user_name_) + with_length(password_);
}

std::string SocksDialog::request() const {
  std::string address = literal_field(destination_.host);
  if (address.empty()) address = bytes({domain_name}) + with_length(destination_.host);
  const auto high = static_cast<std::uint8_t>(destination_.port >> 8);
  const auto low = static_cast<std::uint8_t>(destination_.port & 0xFF);
  return bytes({socks_version, connect_command, 0}) + address + bytes({high, low});
}

Error SocksDialog::refused(std::uint8_t code) const {
  const Refusal& refusal = refusals[code < refusals.size() ? code : 0];
  return {ErrorDomain::proxy, refusal.code,
          fmt::format("cannot connect to {}: {} (SOCKS reply {})",
                      escape_for_terminal(host_and_port(destination_.host, destination_.port)), refusal.what,
                      code)};
}

}  // namespace mqtt::net
