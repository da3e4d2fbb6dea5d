#include <fmt/format.h>

#include <algorithm>

#include <mqtt/codec/topic.hpp>

#include "common/connect_parts.hpp"
#include "common/spelling.hpp"

namespace mq::detail {
namespace {

using mqtt::PropertyId;
using mqtt::PropertyPlace;
using mqtt::Transport;
using mqtt::Version;
using Fault = std::optional<std::string>;

std::string_view typed_ws_option(const Options& options, Source at_least) {
  for (const std::string_view name : {"--ws-path", "--ws-header"})
    if (options.given(name) && options.find(name).source() >= at_least) return name;
  return {};
}

/// Where the last of these options comes from.
Source source_of(const Options& options, std::initializer_list<std::string_view> names) {
  Source source = Source::default_value;
  for (const std::string_view name : names) source = std::max(source, options.find(name).source());
  return source;
}

/// A flag comes before a variable, and that before a file; but a URL and an option from the same place
/// contradict each other.
Fault join_user(const Options& options, ConnectionConfig& config, const mqtt::Endpoint& url) {
  const Source of_url = options.find("--url").source();
  const Source of_user = source_of(options, {"--username"});
  const Source of_password = source_of(
      options, {"--password", "--password-file", "--password-env", "--password-cmd", "--password-prompt",
                "--token-file", "--token-env", "--token-cmd", "--token-prompt"});
  if (url.user_name && of_user == of_url) return "the URL and option '-u' both give a user name";
  if (url.password && of_password == of_url) return "the URL and an option both give a password";
  if (url.user_name && of_user < of_url) config.user_name = url.user_name;
  if (url.password && of_password < of_url) config.password = {.value = url.password};
  return std::nullopt;
}

Fault join_url(const Options& options, ConnectionConfig& config, const mqtt::Endpoint& url) {
  if (auto fault = find_layer_clash(options, url.transport, "the URL", options.find("--url").source()))
    return fault;
  if (config.typed.ws_path && url.path != "/") return "the URL and option '--ws-path' both give a path";
  config.transport = url.transport;
  config.url_topic = url.topic;
  if (url.transport == Transport::unix_socket)
    config.unix_path = url.path;
  else
    config.hosts = {{url.host, url.port}};
  if (mqtt::uses_websocket(url.transport)) config.ws_path = config.typed.ws_path.value_or(url.path);
  return join_user(options, config, url);
}

/// Without a URL the options that need TLS or WebSocket ask for it.
Transport wanted_transport(const Options& options) {
  constexpr Source any = Source::default_value;
  const bool tls = !typed_tls_option(options, any).empty(), ws = !typed_ws_option(options, any).empty();
  if (ws) return tls ? Transport::wss : Transport::ws;
  return tls ? Transport::tls : Transport::tcp;
}

std::string without_brackets(std::string host) {
  const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

Fault join_hosts(const Options& options, ConnectionConfig& config) {
  config.transport = wanted_transport(options);
  if (config.typed.ws_path) config.ws_path = *config.typed.ws_path;
  const std::uint16_t port = config.typed.port.value_or(mqtt::default_port(config.transport));
  for (std::string& host : split_at_commas(config.typed.host.value_or("localhost"))) {
    if (host.empty())
      return fmt::format("option '-h': a name is missing in {}", in_quotes(*config.typed.host));
    config.hosts.push_back({without_brackets(std::move(host)), port});
  }
  return std::nullopt;
}

Fault join_address(const Options& options, ConnectionConfig& config) {
  if (config.typed.ipv4) config.family = mqtt::net::Family::ipv4;
  if (config.typed.ipv6) config.family = mqtt::net::Family::ipv6;
  if (config.typed.url) return join_url(options, config, *config.typed.url);
  if (!options.given("--unix")) return join_hosts(options, config);
  config.transport = Transport::unix_socket;
  return find_layer_clash(options, config.transport, "the unix socket", options.find("--unix").source());
}

Fault join_session(ConnectionConfig& config) {
  const auto typed = config.typed.session_expiry;
  if (config.persistent && !config.client_id)
    return "option '-c' needs a client id (-i): a random one would leave a session that nobody finds again";
  config.session_expiry = typed.value_or(config.persistent ? session_never_expires : 0);
  if (config.session_expiry == session_never_expires && !config.client_id)
    return "a session that never expires needs a client id (-i)";
  const mqtt::PropertiesView connect = config.properties.at(PropertyPlace::connect);
  if (typed && connect.find(PropertyId::session_expiry_interval))
    return "options '-x' and '-D' both give the Session Expiry Interval";
  if (config.max_inflight && connect.find(PropertyId::receive_maximum))
    return "options '-M' and '-D' both give the Receive Maximum";
  return std::nullopt;
}

Fault join_version(ConnectionConfig& config) {
  const Authentication& authentication = config.authentication;
  config.needs_v5 = config.typed.session_expiry || !config.properties.empty() || authentication.method;
  if (!config.needs_v5 || config.version.value_or(Version::v5) == Version::v5) return std::nullopt;
  const std::string_view method = authentication.scram_user ? "SCRAM" : "option '--auth-method'";
  const std::string_view what = authentication.method         ? method
                                : config.typed.session_expiry ? "option '-x'"
                                                              : "option '-D'";
  return fmt::format("{} needs MQTT 5, but option '-V' asks for {}", what, to_string(*config.version));
}

Fault join_will(const Options& options, ConnectionConfig& config) {
  if (!options.given("--will-topic")) {
    if (config.properties.at(PropertyPlace::will).empty()) return std::nullopt;
    return "option '-D will' needs option '--will-topic'";
  }
  if (const auto fault = mqtt::find_topic_name_error(config.typed.will.topic))
    return fmt::format("option '--will-topic': {}", fault->what);
  config.will = config.typed.will;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> join_connection(const Options& options, ConnectionConfig& config) {
  if (auto fault = join_address(options, config)) return fault;
  if (auto fault = join_tls(config)) return fault;
  if (auto fault = join_route(options, config)) return fault;
  if (auto fault = join_session(config)) return fault;
  if (auto fault = join_authentication(options, config)) return fault;
  if (auto fault = join_version(config)) return fault;
  return join_will(options, config);
}

}  // namespace mq::detail

namespace mq {

std::optional<std::string> find_layer_clash(const Options& options, mqtt::Transport transport,
                                            std::string_view named_by, Source at_least) {
  const std::string_view tls = detail::typed_tls_option(options, at_least),
                         ws = detail::typed_ws_option(options, at_least);
  if (!tls.empty() && !mqtt::uses_tls(transport))
    return fmt::format("option '{}' needs TLS, but {} is without: use mqtts:// or wss://", tls, named_by);
  if (!ws.empty() && !mqtt::uses_websocket(transport))
    return fmt::format("option '{}' needs WebSocket, but {} is without: use ws:// or wss://", ws, named_by);
  return std::nullopt;
}

ConnectionConfig at_url(ConnectionConfig config, const mqtt::Endpoint& url) {
  config.transport = url.transport;
  config.url_topic = url.topic;
  config.service.clear();
  config.hosts.clear();
  config.unix_path.clear();
  if (url.transport == mqtt::Transport::unix_socket)
    config.unix_path = url.path;
  else
    config.hosts = {{url.host, url.port}};
  if (mqtt::uses_websocket(url.transport)) config.ws_path = url.path;
  if (url.user_name) config.user_name = url.user_name;
  if (url.password) config.password = {.value = url.password};
  return config;
}

}  // namespace mq
