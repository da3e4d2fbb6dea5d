#include <mqtt/client/endpoint.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <mqtt/client/authority.hpp>
#include <mqtt/net/address.hpp>
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

Result<void> read_rest(std::string_view rest, Endpoint& endpoint) {
  if (uses_websocket(endpoint.transport)) {
    if (std::ranges::any_of(rest, is_space_or_control))
      return bad_url("the path holds a space or control character (write '%20')");
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
  if (!path->starts_with('/')) return bad_url("a unix URL is unix:///PATH");
  if (path->find('\0') != path->npos) return bad_url("the path holds a NUL");
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
  if (colon == url.npos) return bad_url("a URL starts with mqtt://, mqtts://, ws://, wss:// or unix://");
  const std::string_view name = url.substr(0, colon);
  const auto scheme =
      std::ranges::find_if(schemes, [&](const Scheme& s) { return equal_ignoring_case(s.name, name); });
  if (scheme == schemes.end())
    return bad_url(
        fmt::format("unknown scheme '{}' (mqtt, mqtts, ws, wss or unix)", escape_for_terminal(name)));
  const std::string_view rest = url.substr(colon + 3);
  if (scheme->transport == Transport::unix_socket) return parse_unix(rest);
  Endpoint endpoint;
  endpoint.transport = scheme->transport;
  const std::size_t authority_end = std::min(rest.find_first_of("/?#"), rest.size());
  auto authority = parse_authority(rest.substr(0, authority_end), zero);
  if (!authority) return std::unexpected(std::move(authority.error()));
  endpoint.user_name = std::move(authority->user_name);
  endpoint.password = std::move(authority->password);
  endpoint.host = std::move(authority->host);
  endpoint.port = authority->port.value_or(scheme->port);
  if (const auto read = read_rest(rest.substr(authority_end), endpoint); !read)
    return std::unexpected(read.error());
  return endpoint;
}

namespace {

/// What percent_decoded() turns back.
std::string percent_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '%' ? std::string{"%25"} : std::string(1, c);
  return out;
}

}  // namespace

std::string public_url(const Endpoint& endpoint) {
  const std::string_view scheme = std::ranges::find(schemes, endpoint.transport, &Scheme::transport)->name;
  if (endpoint.transport == Transport::unix_socket)
    return fmt::format("{}://{}", scheme, percent_escaped(endpoint.path));
  const std::string_view path = endpoint.path;
  return fmt::format("{}://{}{}", scheme, net::host_and_port(percent_escaped(endpoint.host), endpoint.port),
                     uses_websocket(endpoint.transport) ? path.substr(0, path.find('?')) : "");
}

}  // namespace mqtt
