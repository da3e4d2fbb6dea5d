#include "mqbroker/listeners.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include <mqtt/util/text.hpp>

#include "common/stdio.hpp"

namespace mq {
namespace {

using mqtt::uses_tls;
using mqtt::uses_websocket;
using mqtt::auth::JwtKey;
using mqtt::broker::AuthDecision;
using mqtt::server::ListenerConfig;

constexpr std::size_t token_keys_max_bytes = 1024 * 1024;

/// Short, because each connection keeps it: "mqtt:1883", "unix:/run/mq.sock".
std::string short_name(const ListenPlace& place) {
  const std::string url = place.url();
  const std::string scheme = url.substr(0, url.find(':'));
  return place.path.empty() || uses_websocket(place.transport) ? fmt::format("{}:{}", scheme, place.port)
                                                               : fmt::format("{}:{}", scheme, place.path);
}

std::string unused_name(const std::string& wanted, const std::vector<ListenerConfig>& listeners) {
  std::string name = wanted;
  const auto is_used = [&] {
    return std::ranges::find(listeners, name, &ListenerConfig::name) != listeners.end();
  };
  for (int n = 2; is_used(); ++n) name = fmt::format("{}#{}", wanted, n);
  return name;
}

mqtt::Result<std::shared_ptr<const mqtt::net::TlsContext>> load_tls(const ListenerTraits& traits) {
  mqtt::net::TlsOptions tls = traits.tls;
  tls.key_password = traits.key_password.value;
  tls.alpn = {"mqtt"};
  return mqtt::net::TlsContext::server(tls);
}

mqtt::Result<ListenerConfig> make_listener(const ListenerSettings& settings) {
  const auto& [place, traits, where, fd] = settings;
  ListenerConfig config;
  config.connections_max = traits.connections_max;
  config.listen.port = place.port;
  if (fd)
    config.listen.fd = fd;
  else if (place.transport == mqtt::Transport::unix_socket)
    config.listen.unix_path = place.path;
  else if (place.host != "localhost")
    config.addresses = {place.host};
  config.listen.unix_mode = traits.unix_mode;
  if (traits.proxy_protocol) config.listen.proxy_protocol = mqtt::net::ProxyProtocol::required;
  // The client asks for "mqtt" [MQTT-6.0.0-3], and 3.1 for "mqttv3.1".
  if (uses_websocket(place.transport))
    config.listen.ws = mqtt::net::WsServerOptions{.path = place.path, .subprotocols = {"mqtt", "mqttv3.1"}};
  if (!uses_tls(place.transport)) return config;
  auto tls = load_tls(traits);
  if (!tls) return std::unexpected(std::move(tls.error()));
  config.listen.tls = std::move(*tls);
  return config;
}

/// With keys nobody comes in without a name.
mqtt::net::ClientCertificates certificates_of(const mqtt::net::TlsOptions& tls) {
  return tls.psk_file.empty() ? tls.client_certificates : mqtt::net::ClientCertificates::required;
}

std::expected<std::vector<JwtKey>, std::string> parse_secret(std::string_view text) {
  // What everybody may know must not become a secret: with it anybody could sign (RFC 8725, section 2.1).
  if (text.starts_with("-----BEGIN") || text.starts_with('{'))
    return std::unexpected("these are keys, and no secret: see --jwt-keys");
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  auto key = JwtKey::of_secret(std::string{text});
  if (!key) return std::unexpected(std::move(key.error()));
  return std::vector{std::move(*key)};
}

using ParseKeys = std::expected<std::vector<JwtKey>, std::string> (*)(std::string_view);

std::expected<std::vector<JwtKey>, std::string> read_keys(const std::string& file, ParseKeys parse) {
  const auto text = mq::read_file(file, token_keys_max_bytes);
  if (!text) return std::unexpected(fmt::format("cannot read the keys for tokens: {}", text.error().context));
  auto keys = parse(*text);
  if (!keys) return std::unexpected(fmt::format("{}: {}", mqtt::escape_for_terminal(file), keys.error()));
  return keys;
}

std::string cannot_listen(const ListenerSettings& listener, const mqtt::Error& why) {
  const std::string prefix = listener.where.empty() ? "" : listener.where + ": ";
  return fmt::format("{}cannot listen on {}: {}", prefix, mqtt::escape_for_terminal(listener.place.url()),
                     why.context);
}

}  // namespace

std::expected<std::vector<ListenerSettings>, std::string> with_key_passwords(
    std::vector<ListenerSettings> settings) {
  for (ListenerSettings& one : settings) {
    if (!uses_tls(one.place.transport)) continue;
    auto password = resolve_secret(one.traits.key_password, "key password");
    if (!password) return std::unexpected(cannot_listen(one, password.error()));
    one.traits.key_password = {.value = std::move(*password)};
  }
  return settings;
}

std::expected<std::vector<ListenerConfig>, std::string> make_listeners(
    const std::vector<ListenerSettings>& settings) {
  std::vector<ListenerConfig> listeners;
  for (const ListenerSettings& one : settings) {
    auto listener = make_listener(one);
    if (!listener) return std::unexpected(cannot_listen(one, listener.error()));
    listener->name = unused_name(short_name(one.place), listeners);
    listeners.push_back(std::move(*listener));
  }
  return listeners;
}

std::expected<std::optional<mqtt::auth::PasswordFile>, std::string> read_passwords(
    const std::optional<std::string>& file) {
  if (!file) return std::nullopt;
  const auto text = mq::read_file(*file, password_file_max_bytes);
  if (!text) return std::unexpected(fmt::format("cannot read the passwords: {}", text.error().context));
  auto users = mqtt::auth::PasswordFile::parse(*text);
  if (!users) return std::unexpected(fmt::format("{}:{}", mqtt::escape_for_terminal(*file), users.error()));
  return std::move(*users);
}

std::expected<std::optional<std::vector<JwtKey>>, std::string> read_token_keys(
    const std::optional<std::string>& keys_file, const std::optional<std::string>& secret_file) {
  if (!keys_file && !secret_file) return std::nullopt;
  std::vector<JwtKey> keys;
  if (keys_file) {
    auto read = read_keys(*keys_file, mqtt::auth::parse_jwt_keys);
    if (!read) return std::unexpected(std::move(read.error()));
    keys = std::move(*read);
  }
  if (secret_file) {
    auto read = read_keys(*secret_file, parse_secret);
    if (!read) return std::unexpected(std::move(read.error()));
    std::ranges::move(*read, std::back_inserter(keys));
  }
  return keys;
}

std::vector<std::string> find_anonymous(const std::vector<ListenerSettings>& settings,
                                        const std::vector<ListenerConfig>& listeners) {
  std::vector<std::string> anonymous;
  for (std::size_t i = 0; i < settings.size(); ++i)
    if (settings[i].traits.allow_anonymous) anonymous.push_back(listeners[i].name);
  return anonymous;
}

std::expected<std::optional<mqtt::broker::AclFile>, std::string> read_rules(
    const std::optional<std::string>& file) {
  if (!file) return std::nullopt;
  const auto text = mq::read_file(*file, acl_file_max_bytes);
  if (!text) return std::unexpected(fmt::format("cannot read the access rules: {}", text.error().context));
  auto rules = mqtt::broker::AclFile::parse(*text);
  if (!rules) return std::unexpected(fmt::format("{}:{}", mqtt::escape_for_terminal(*file), rules.error()));
  return std::move(*rules);
}

std::vector<CertificateUsers::Named> find_named(const std::vector<ListenerSettings>& settings,
                                                const std::vector<ListenerConfig>& listeners) {
  std::vector<CertificateUsers::Named> named;
  for (std::size_t i = 0; i < settings.size(); ++i)
    if (listeners[i].listen.tls &&
        (settings[i].traits.certificate_names_user || !settings[i].traits.tls.psk_file.empty()))
      named.push_back({listeners[i].name, certificates_of(settings[i].traits.tls)});
  return named;
}

AuthDecision CertificateUsers::authenticate(const mqtt::ConnectView& connect,
                                            const mqtt::broker::ConnectionInfo& info) {
  const auto named = std::ranges::find(named_, info.listener, &Named::listener);
  const bool nameless = info.certificate_common_name.empty();
  if (passwords_ && (named == named_.end() || nameless)) return passwords_->authenticate(connect, info);
  if (named == named_.end()) return AuthDecision::allowed(std::string{connect.user_name.value_or("")});
  if (nameless && named->certificates == mqtt::net::ClientCertificates::required)
    return AuthDecision::refused(mqtt::ReasonCode::not_authorized);
  return AuthDecision::allowed(info.certificate_common_name);
}

std::unique_ptr<mqtt::broker::AuthExchange> CertificateUsers::begin(std::string_view method,
                                                                    std::string_view client_id) {
  return passwords_ ? passwords_->begin(method, client_id) : nullptr;
}

}  // namespace mq
