#pragma once
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/client/endpoint.hpp>
#include <mqtt/client/reconnect.hpp>
#include <mqtt/codec/types.hpp>
#include <mqtt/net/connector.hpp>
#include <mqtt/net/http_upgrade.hpp>
#include <mqtt/net/tls.hpp>
#include <mqtt/util/time.hpp>

#include "common/diag.hpp"
#include "common/file_options.hpp"
#include "common/options.hpp"
#include "common/property_options.hpp"
#include "common/secrets.hpp"

namespace mq {

/// Session Expiry Interval of a session that never ends (3.1.2.11.2).
inline constexpr std::uint32_t session_never_expires = std::numeric_limits<std::uint32_t>::max();

struct WillConfig {
  std::string topic;
  std::string payload;
  mqtt::QoS qos = mqtt::QoS::at_most_once;
  bool retain = false;
};

/// Enhanced authentication (MQTT 5), and tokens.
struct Authentication {
  std::optional<std::string> method;      ///< after Options::parse() whatever asks for one
  std::optional<std::string> data;        ///< --auth-data, decoded
  std::optional<std::string> scram_user;  ///< after Options::parse() set if the method is SCRAM, else not
  SecretSource token;
  std::optional<mqtt::Duration> token_lifetime;
};

/// What the options of section "connecting" say, checked against each other. After Options::parse()
/// the URL, the host options and the environment have been joined: `transport`, `hosts`, `unix_path`,
/// `ws.path`, `user_name` and `password` are what to use.
struct ConnectionConfig {
  mqtt::Transport transport = mqtt::Transport::tcp;
  std::vector<mqtt::net::HostPort> hosts;  ///< at least one, unless unix_path is set
  std::string unix_path;
  std::string url_topic;  ///< topic of an mqtt: or mqtts: URL; empty if it has none

  std::optional<std::string> user_name;
  SecretSource password;
  Authentication authentication;

  std::optional<std::string> client_id;
  std::optional<std::string> id_prefix;
  std::uint16_t keep_alive = 60;              ///< seconds
  bool persistent = false;                    ///< -c: Clean Start / Clean Session off
  std::uint32_t session_expiry = 0;           ///< seconds; never for -c without -x
  std::optional<mqtt::Version> version;       ///< none: 5.0, then 3.1.1 if the server refuses it
  std::optional<std::uint16_t> max_inflight;  ///< -M: Receive Maximum, and our own window

  std::optional<WillConfig> will;
  bool will_on_exit = false;

  PropertySet properties;

  mqtt::net::TlsOptions tls;  ///< without key_password and psk_key: see the following
  std::string tls_server_name;
  SecretSource key_password;
  SecretSource psk;  ///< hexadecimal

  std::string ws_path = "/mqtt";  ///< path and query
  std::vector<mqtt::net::HttpHeader> ws_headers;

  std::optional<mqtt::net::ProxyServer> proxy;
  std::string no_proxy;
  std::string local_address;
  std::string interface;
  bool quick_ack = false;  ///< acknowledge TCP segments at once: for who measures
  std::vector<mqtt::net::NameOverride> overrides;
  std::string service;  ///< "_mqtt._tcp": the host is a domain whose SRV records are asked for; else empty
  mqtt::net::Family family = mqtt::net::Family::any;
  mqtt::Duration connect_timeout = std::chrono::seconds{10};
  mqtt::ReconnectPolicy reconnect;

  LogSettings log;

  /// MQTT 5 must be spoken: a property, a session expiry or an authentication method was asked for, so there
  /// is no falling back.
  bool needs_v5 = false;

  /// "broker.lan:8883", "a:1883, b:1883" or the socket's path: for messages.
  [[nodiscard]] std::string where() const;

  /// As the options were typed, before they are joined.
  struct Typed {
    FileOptions files;
    std::optional<mqtt::Endpoint> url;
    std::optional<std::string> host;
    std::optional<std::uint16_t> port;
    std::optional<std::string> ws_path;
    WillConfig will;
    std::optional<std::uint32_t> session_expiry;
    bool ipv4 = false;
    bool ipv6 = false;
    bool service = false;
    bool no_tls = false;
  };
  Typed typed;
};

/// The same client at another address: scheme, host, port or path are the URL's, and so are user name and
/// password if it has them.
[[nodiscard]] ConnectionConfig at_url(ConnectionConfig config, const mqtt::Endpoint& url);

/// A sentence if an option from `at_least` on asks for TLS or WebSocket, but `transport`, which `named_by`
/// ("the URL") has named, is without: what was named is never changed by an option that wants another.
[[nodiscard]] std::optional<std::string> find_layer_clash(const Options& options, mqtt::Transport transport,
                                                          std::string_view named_by, Source at_least);

/// Declares every connection option on `options` and the rules that join them into `config`, which
/// must outlive parsing. `packets` are those to which -D may add properties.
void declare_connect_options(Options& options, ConnectionConfig& config,
                             std::initializer_list<mqtt::PropertyPlace> packets);

/// Declares -d, --quiet, --log-format and --color; declare_connect_options() does not.
void declare_log_options(Options& options, LogSettings& log);

}  // namespace mq
