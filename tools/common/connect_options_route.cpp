#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>

#include <mqtt/client/proxy_url.hpp>
#include <mqtt/util/text.hpp>

#include "common/connect_parts.hpp"
#include "common/spelling.hpp"
#include "common/value_checks.hpp"

namespace mq::detail {
namespace {

using mqtt::net::NameOverride;
using mqtt::net::SocketAddress;

constexpr std::string_view route_group = "Connection";

ValueResult keep_proxy(ConnectionConfig& config, std::string_view value) {
  auto proxy = mqtt::parse_proxy(value);
  if (!proxy) return std::unexpected(std::move(proxy.error().context));
  config.proxy = std::move(*proxy);
  return {};
}

ValueResult keep_local_address(ConnectionConfig& config, std::string_view value) {
  if (auto checked = ip_address(value); !checked) return checked;
  config.local_address = value;
  return {};
}

ValueResult keep_interface(ConnectionConfig& config, std::string_view value) {
  if (value.size() >= IF_NAMESIZE || if_nametoindex(std::string{value}.c_str()) == 0)
    return std::unexpected(fmt::format("there is no network interface {}", in_quotes(value)));
  config.interface = value;
  return {};
}

/// One address, an IPv6 one with or without brackets.
std::optional<SocketAddress> address_of(std::string_view text, std::uint16_t port) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  return SocketAddress::parse(text, port);
}

std::optional<NameOverride> parse_override(std::string_view text) {
  const std::size_t after_host = text.find(':');
  const std::size_t after_port = text.find(':', std::min(after_host, text.size() - 1) + 1);
  if (after_host == 0 || after_port == text.npos) return std::nullopt;
  const auto port =
      mqtt::parse_number<std::uint16_t>(text.substr(after_host + 1, after_port - after_host - 1));
  if (!port || *port == 0) return std::nullopt;
  NameOverride found{std::string{text.substr(0, after_host)}, *port, {}};
  for (const std::string& word : split_at_commas(text.substr(after_port + 1))) {
    const auto address = address_of(word, *port);
    if (!address) return std::nullopt;
    found.addresses.push_back(*address);
  }
  return found;
}

ValueResult keep_override(ConnectionConfig& config, std::string_view value) {
  auto found = value.empty() ? std::nullopt : parse_override(value);
  if (!found)
    return std::unexpected(fmt::format("{} is not HOST:PORT:ADDRESS[,ADDRESS...]", in_quotes(value)));
  config.overrides.push_back(std::move(*found));
  return {};
}

void declare_proxy(Options& o, ConnectionConfig& c) {
  o.parsed("--proxy", [&c](std::string_view value) { return keep_proxy(c, value); })
      .metavar("URL")
      .group(route_group)
      .env("ALL_PROXY")
      .text(
          "connect through this proxy: socks5://, socks5h:// (which looks the server's name up itself) or "
          "http://, with user:password@ if it wants them")
      .excludes({"--unix"})
      .secret(secrets_of_url)
      .example("--proxy socks5h://proxy.example:1080");
  o.text("--no-proxy", c.no_proxy)
      .metavar("HOSTS")
      .group(route_group)
      .env("NO_PROXY")
      .text(
          "connect to these without the proxy: names (and all below them), addresses, networks such as "
          "10.0.0.0/8, or *; the variable counts only for a proxy that a variable names");
}

void declare_names(Options& o, ConnectionConfig& c) {
  o.parsed("--resolve", [&c](std::string_view value) { return keep_override(c, value); })
      .metavar("HOST:PORT:ADDRESS")
      .group(route_group)
      .repeats()
      .text("use this address for that host and port; may be given many times")
      .example("--resolve broker.example:8883:127.0.0.1");
  o.flag("-S", c.typed.service)
      .group(route_group)
      .text(
          "HOST is a domain: connect to what its SRV records for _mqtt._tcp, with TLS _secure-mqtt._tcp, "
          "name "
          "(-p is ignored); a certificate must be for the domain")
      .excludes({"--url", "--unix"});
}

}  // namespace

void declare_route_options(Options& options, ConnectionConfig& config) {
  declare_names(options, config);
  declare_proxy(options, config);
  options.parsed("-A,--bind", [&config](std::string_view value) { return keep_local_address(config, value); })
      .metavar("ADDRESS")
      .group(route_group)
      .text("connect from this local address");
  options.parsed("--interface", [&config](std::string_view value) { return keep_interface(config, value); })
      .metavar("NAME")
      .completes(Completion::interface)
      .group(route_group)
      .text("connect through this network interface");
}

std::optional<std::string> join_route(const Options& options, ConnectionConfig& config) {
  const bool proxy_typed = options.find("--proxy").source() == Source::command_line;
  if (config.transport == mqtt::Transport::unix_socket) {
    if (proxy_typed) return "option '--proxy': a unix socket cannot be reached through a proxy";
    config.proxy.reset();
  }
  // Who types a proxy means it: the variable belongs to the other variable.
  const bool list_typed = options.find("--no-proxy").source() == Source::command_line;
  if (config.proxy && (list_typed || !proxy_typed)) config.proxy->bypass = config.no_proxy;
  if (!config.typed.service) return std::nullopt;
  if (config.hosts.size() != 1) return "option '-S' needs one domain";
  if (mqtt::uses_websocket(config.transport)) return "option '-S': there are no SRV records for WebSocket";
  config.service = config.transport == mqtt::Transport::tls ? "_secure-mqtt._tcp" : "_mqtt._tcp";
  return std::nullopt;
}

}  // namespace mq::detail
