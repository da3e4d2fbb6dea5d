#include <mqtt/client/endpoint.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <mqtt/util/text.hpp>

namespace mqtt {
namespace {

struct Scheme {
  std::string_view name;
  Transport transport;
  std::uint16_t port;
};

constexpr std::array<Scheme, 5> schemes{{{"mqtt", Transport::tcp, 1883},
                                         {"mqtts", Transport::tls, 8883},
                                         {"ws", Transport::ws, 80},
                                         {"wss", Transport::wss, 443},
                                         {"unix", Transport::unix_socket, 0}}};

std::unexpected<Error> bad(std::string why) { return fail(ErrorDomain::url, 0, std::move(why)); }

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return std::nullopt;
}

Result<std::string> percent_decoded(std::string_view text, std::string_view part) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const auto high = i + 1 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low)
      return bad(fmt::format("'%' in the {} is not followed by two hexadecimal digits (write '%25')", part));
    out.push_back(static_cast<char>(*high << 4 | *low));
    i += 2;
  }
  return out;
}

/// A host may be written with %XX, but not so that it becomes something else.
bool is_delimiter(char c) { return std::string_view{"/?#@[]\\"}.find(c) != std::string_view::npos; }

bool is_space_or_control(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; }

/// [USER[:PASSWORD]@] off the front of `authority`.
Result<void> take_user_info(std::string_view& authority, Endpoint& endpoint) {
  const std::size_t at = authority.rfind('@');
  if (at == authority.npos) return {};
  const std::string_view info = authority.substr(0, at);
  authority.remove_prefix(at + 1);
  const std::size_t colon = info.find(':');
  auto user = percent_decoded(info.substr(0, colon), "user name");
  if (!user) return std::unexpected(user.error());
  if (colon != info.npos) {
    auto password = percent_decoded(info.substr(colon + 1), "password");
    if (!password) return std::unexpected(password.error());
    endpoint.password = std::move(*password);
  }
  if (!user->empty() || endpoint.password) endpoint.user_name = std::move(*user);
  return {};
}

/// Hexadecimal digits, colons and dots, then perhaps '%' and a zone (RFC 4007).
bool is_ipv6_literal(std::string_view text) {
  const std::size_t zone = text.find('%');
  return text.find(':') < zone && text.find_first_not_of("0123456789abcdefABCDEF:.") >= zone;
}

/// A host as it was written, decoded: without brackets, and nothing but a host.
Result<std::string> read_host(std::string_view text, bool bracketed) {
  auto host = percent_decoded(text, "host");  // a zone is written %25ZONE (RFC 6874)
  if (!host) return host;
  if (host->empty()) return bad("there is no host");
  if (std::ranges::any_of(*host, is_space_or_control))
    return bad("the host holds a space or control character");
  if (std::ranges::any_of(*host, is_delimiter)) return bad("the host holds a delimiter");
  if (bracketed && !is_ipv6_literal(*host))
    return bad(fmt::format("'[{}]' is not an IPv6 address", escape_for_terminal(*host)));
  if (!bracketed && host->find(':') != std::string::npos)
    return bad("an IPv6 address must stand in brackets: [::1]");
  return host;
}

/// "[::1]" or a name off the front; what is left is empty or ":PORT".
Result<std::string> take_host(std::string_view& authority) {
  const bool bracketed = authority.starts_with('[');
  const std::size_t end = std::min(authority.find(bracketed ? ']' : ':'), authority.size());
  if (bracketed && end == authority.size()) return bad("'[' without ']' around an IPv6 address");
  const std::string_view host = authority.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end);
  authority.remove_prefix(bracketed ? end + 1 : end);
  const bool unbracketed_literal = !bracketed && authority.find(':', 1) != authority.npos;
  if (unbracketed_literal) return bad("an IPv6 address must stand in brackets: [::1]");
  return read_host(host, bracketed);
}

Result<std::uint16_t> read_port(std::string_view text, Transport transport, PortZero zero) {
  if (text.empty() || text == ":") return default_port(transport);
  const auto port = text.starts_with(':') ? parse_number<std::uint16_t>(text.substr(1)) : std::nullopt;
  if (!port || (*port == 0 && zero == PortZero::refused))
    return bad(fmt::format("'{}' is not a port from {} to 65535",
                           text.starts_with(':') ? text.substr(1) : text, zero == PortZero::refused ? 1 : 0));
  return *port;
}

Result<void> read_rest(std::string_view rest, Endpoint& endpoint) {
  if (uses_websocket(endpoint.transport)) {
    if (std::ranges::any_of(rest, is_space_or_control))
      return bad("the path holds a space or control character (write '%20')");
    endpoint.path = rest.substr(0, rest.find('#'));
    if (!endpoint.path.starts_with('/')) endpoint.path.insert(0, "/");
    return {};
  }
  auto topic = percent_decoded(rest.starts_with('/') ? rest.substr(1) : rest, "topic");
  if (!topic) return std::unexpected(topic.error());
  endpoint.topic = std::move(*topic);
  return {};
}

Result<Endpoint> parse_unix(std::string_view rest) {
  auto path = percent_decoded(rest, "path");
  if (!path) return std::unexpected(path.error());
  if (!path->starts_with('/')) return bad("a unix URL is unix:///PATH");
  if (path->find('\0') != path->npos) return bad("the path holds a NUL");
  Endpoint endpoint;
  endpoint.transport = Transport::unix_socket;
  endpoint.path = std::move(*path);
  return endpoint;
}

}  // namespace

std::uint16_t default_port(Transport transport) {
  return std::ranges::find(schemes, transport, &Scheme::transport)->port;
}

Result<Endpoint> parse_endpoint(std::string_view url, PortZero zero) {
  const std::size_t colon = url.find("://");
  if (colon == url.npos) return bad("a URL starts with mqtt://, mqtts://, ws://, wss:// or unix://");
  const std::string_view name = url.substr(0, colon);
  const auto scheme =
      std::ranges::find_if(schemes, [&](const Scheme& s) { return equal_ignoring_case(s.name, name); });
  if (scheme == schemes.end())
    return bad(fmt::format("unknown scheme '{}' (mqtt, mqtts, ws, wss or unix)", escape_for_terminal(name)));
  const std::string_view rest = url.substr(colon + 3);
  if (scheme->transport == Transport::unix_socket) return parse_unix(rest);
  Endpoint endpoint;
  endpoint.transport = scheme->transport;
  const std::size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string_view authority = rest.substr(0, authority_end);
  if (const auto taken = take_user_info(authority, endpoint); !taken) return std::unexpected(taken.error());
  auto host = take_host(authority);
  if (!host) return std::unexpected(host.error());
  endpoint.host = std::move(*host);
  const auto port = read_port(authority, endpoint.transport, zero);
  if (!port) return std::unexpected(port.error());
  endpoint.port = *port;
  if (const auto read = read_rest(rest.substr(authority_end), endpoint); !read)
    return std::unexpected(read.error());
  return endpoint;
}

}  // namespace mqtt
