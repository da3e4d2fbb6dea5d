#include "common/client_setup.hpp"

#include <fmt/format.h>

#include <random>

#include "common/authentication.hpp"
#include "common/connect_parts.hpp"

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PropertyPlace;
using mqtt::Version;

/// How long a server keeps the session of a client that means to come back. Longer than any back-off;
/// short enough that a killed client does not occupy the server.
constexpr std::uint32_t resumable_session_seconds = 300;

std::uint64_t random_number() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

/// At most 23 characters of [0-9a-z-], which every server must accept [MQTT-3.1.3-5].
std::string random_client_id(std::string_view prefix) {
  return fmt::format("{}-{:012x}", prefix, random_number() >> 16);
}

std::string client_id_of(const ConnectionConfig& config, std::string_view program) {
  if (config.client_id) return *config.client_id;
  if (config.id_prefix) return fmt::format("{}{:012x}", *config.id_prefix, random_number() >> 16);
  return random_client_id(program);
}

std::expected<std::shared_ptr<const mqtt::net::TlsContext>, SetupFailure> tls_context(
    const ConnectionConfig& config) {
  if (!mqtt::uses_tls(config.transport)) return nullptr;
  auto key_password = fetch_secret(config.key_password, "key password");
  if (!key_password) return std::unexpected(key_password.error());
  mqtt::net::TlsOptions options = config.tls;
  options.key_password = std::move(*key_password);
  auto psk = fetch_secret(config.psk, "pre-shared key");
  if (!psk) return std::unexpected(psk.error());
  if (*psk)
    if (auto fault = detail::psk_fault(**psk)) return std::unexpected(SetupFailure{ExitCode::usage, *fault});
  options.psk_key = std::move(*psk).value_or("");
  auto context = mqtt::net::TlsContext::client(options);
  if (!context) return std::unexpected(SetupFailure{ExitCode::usage, context.error().context});
  return std::move(*context);
}

mqtt::Will will_of(const ConnectionConfig& config) {
  const WillConfig& will = *config.will;
  return {will.topic, will.payload, will.qos, will.retain, config.properties.at(PropertyPlace::will)};
}

void add_connect_properties(mqtt::ConnectOptions& connect, const ConnectionConfig& config) {
  connect.properties = config.properties.at(PropertyPlace::connect);
  if (config.session_expiry > 0)
    connect.properties.set(PropertyId::session_expiry_interval, config.session_expiry);
  if (config.max_inflight) connect.properties.set(PropertyId::receive_maximum, *config.max_inflight);
}

mqtt::ConnectOptions connect_options(const ConnectionConfig& config, std::string_view program) {
  mqtt::ConnectOptions connect;
  connect.version = config.version.value_or(Version::v5);
  connect.client_id = client_id_of(config, program);
  connect.clean_start = !config.persistent;
  connect.keep_alive = config.keep_alive;
  if (config.will) connect.will = will_of(config);
  connect.user_name = config.user_name;
  if (connect.version == Version::v5) add_connect_properties(connect, config);
  return connect;
}

mqtt::net::StreamTarget target_of(const ConnectionConfig& config) {
  mqtt::net::StreamTarget target;
  target.hosts = config.hosts;
  target.unix_path = config.unix_path;
  target.tls_server_name = config.tls_server_name;
  if (mqtt::uses_websocket(config.transport))
    target.ws = mqtt::net::WsOptions{
        .path = config.ws_path, .host = {}, .subprotocols = {"mqtt"}, .headers = config.ws_headers};
  target.connect.family = config.family;
  target.connect.local_address = config.local_address;
  target.connect.interface = config.interface;
  target.connect.quick_ack = config.quick_ack;
  target.connect.overrides = config.overrides;
  target.connect.proxy = config.proxy;
  target.connect.service = config.service;
  return target;
}

}  // namespace

std::expected<ClientSetup, SetupFailure> make_client_setup(const ConnectionConfig& config,
                                                           std::string_view program) {
  ClientSetup setup;
  mqtt::ClientOptions& options = setup.options;
  options.connect = connect_options(config, program);
  if (auto added = add_credentials(options, config); !added) return std::unexpected(added.error());
  auto tls = tls_context(config);
  if (!tls) return std::unexpected(tls.error());
  options.target = target_of(config);
  options.target.tls = std::move(*tls);
  options.version_fallback = !config.version && !config.needs_v5;
  options.connect_timeout = config.connect_timeout;
  options.reconnect = config.reconnect;
  // A client id that was given may have a session of somebody else's, which is not ours to use or to end.
  options.own_session = config.reconnect.enabled && !config.client_id && !config.persistent;
  options.jitter_seed = random_number();
  options.session.send_window = config.max_inflight;
  // The server may hold half-finished identifiers of an earlier process with this client id.
  if (config.persistent)
    options.session.first_packet_id = static_cast<mqtt::PacketId>(1 + random_number() % 65'535);
  const bool has_expiry = config.typed.session_expiry ||
                          options.connect.properties.view().find(PropertyId::session_expiry_interval);
  if (config.reconnect.enabled && options.connect.version == Version::v5 && !has_expiry) {
    options.connect.properties.add(PropertyId::session_expiry_interval, resumable_session_seconds);
    setup.ends_session = true;
  }
  return setup;
}

Where where_of(const ConnectionConfig& config, const ClientSetup& setup) {
  return {
      .name = config.where(),
      .transport = config.transport,
      .port = config.hosts.empty() || !config.service.empty() ? std::uint16_t{0} : config.hosts.front().port,
      .client_id = setup.options.connect.client_id,
      .version = setup.options.connect.version,
      .auth_method = config.authentication.method.value_or("")};
}

}  // namespace mq
