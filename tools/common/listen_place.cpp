#include "common/listen_place.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <optional>
#include <utility>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"

namespace mq {
namespace {

using mqtt::Transport;

std::string_view scheme_of(Transport transport) {
  switch (transport) {
    case Transport::tcp: return "mqtt";
    case Transport::tls: return "mqtts";
    case Transport::ws: return "ws";
    case Transport::wss: return "wss";
    case Transport::unix_socket: break;
  }
  return "unix";
}

/// A place to listen is no client's address: nobody logs in to it.
std::optional<ValueFault> find_surplus(const mqtt::Endpoint& endpoint) {
  if (endpoint.user_name || endpoint.password) return "a listener has no user name";
  if (!endpoint.topic.empty()) return "a listener has no topic";
  if (mqtt::uses_websocket(endpoint.transport) && endpoint.path.find('?') != std::string::npos)
    return "a listener's path has no query";
  return std::nullopt;
}

}  // namespace

bool is_loopback(std::string_view host) {
  in_addr v4{};
  in6_addr v6{};
  const std::string text{host};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == IN_LOOPBACKNET;
  return inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::expected<mqtt::net::HostPort, ValueFault> parse_address_with_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const auto port =
      colon == text.npos ? std::nullopt : mqtt::parse_number<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  if (in_brackets) host = host.substr(1, host.size() - 2);
  if (!port || !mqtt::net::is_ip_literal(host) || in_brackets != host.contains(':'))
    return std::unexpected(fmt::format("'{}' is not an IP address with a port, such as 127.0.0.1:9400",
                                       mqtt::escape_for_terminal(text)));
  return mqtt::net::HostPort{std::string{host}, *port};
}

std::string ListenPlace::url() const {
  if (transport == Transport::unix_socket) return fmt::format("unix://{}", path);
  return fmt::format("{}://{}{}", scheme_of(transport), mqtt::net::host_and_port(host, port), path);
}

bool ListenPlace::is_local() const {
  return transport == Transport::unix_socket || host == "localhost" || is_loopback(host);
}

std::expected<ListenPlace, ValueFault> parse_listen_url(std::string_view url) {
  auto endpoint = mqtt::parse_endpoint(url, mqtt::PortZero::allowed);
  if (!endpoint) return std::unexpected(std::move(endpoint.error().context));
  if (auto surplus = find_surplus(*endpoint)) return std::unexpected(std::move(*surplus));
  const bool named = endpoint->transport != Transport::unix_socket && endpoint->host != "localhost";
  if (named && !mqtt::net::is_ip_literal(endpoint->host))
    return std::unexpected(fmt::format("{} is not an IP address or localhost", in_quotes(endpoint->host)));
  // Of a bare "/" nobody means that other paths shall be refused.
  if (endpoint->path == "/") endpoint->path.clear();
  return ListenPlace{endpoint->transport, std::move(endpoint->host), endpoint->port,
                     std::move(endpoint->path)};
}

}  // namespace mq
