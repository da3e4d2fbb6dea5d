#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/auth/jwt.hpp>
#include <mqtt/broker/config.hpp>
#include <mqtt/net/address.hpp>
#include <mqtt/store/schema.hpp>

#include "common/diag.hpp"
#include "common/options.hpp"
#include "mqbroker/bridge_settings.hpp"
#include "mqbroker/listener_settings.hpp"

namespace mq {

struct BrokerSettings {
  /// Complete once the options have been read.
  std::vector<ListenerSettings> listeners;
  mqtt::broker::BrokerConfig broker;
  std::size_t connections_max = 0;  ///< 0: as many as there are descriptors for
  std::size_t threads = 1;          ///< one is the broker, the others carry connections
  LogSettings log{.timed = true};
  bool verbose = false;             ///< connections, refusals and subscriptions too
  std::vector<std::string> traced;  ///< client ids and topic filters whose packets are shown
  bool check_only = false;
  bool print_address = false;
  std::optional<int> ready_fd;
  std::optional<mqtt::net::HostPort> metrics;  ///< where to serve metrics and the status page
  bool metrics_public = false;                 ///< beyond this machine
  std::optional<std::string> password_file;
  struct Tokens {
    std::optional<std::string> keys_file;
    std::optional<std::string> secret_file;
    mqtt::auth::JwtRules rules;

    [[nodiscard]] bool given() const { return keys_file || secret_file; }
  } tokens;
  std::optional<std::string> acl_file;
  /// Complete once the options have been read.
  std::vector<BridgeSettings> bridges;
  std::optional<std::string> database;  ///< none: memory only
  mqtt::store::Durability durability = mqtt::store::Durability::full;

  /// As typed or read, before they become `listeners`.
  struct Typed {
    std::optional<std::string> config_file;
    std::vector<ListenPlace> places;  ///< of --listen
    std::optional<std::string> host;
    std::optional<std::uint16_t> port;
    ListenerTraits traits;
    std::vector<SettingsTable> tables;  ///< [[listener]]
    BridgeSettings bridge;              ///< of --bridge
    std::vector<SettingsTable> bridge_tables;
    bool log_detail = false;  ///< -v or -d: whatever the file says
  } typed;
};

[[nodiscard]] Program mqbroker_program();

/// `settings` must outlive the parsing.
void declare_broker_options(Options& options, BrokerSettings& settings);

/// The part of it that says who may connect.
void declare_access_options(Options& options, BrokerSettings& settings);

/// The part of it that says what outlives the process.
void declare_store_options(Options& options, BrokerSettings& settings);

/// The part of it that bounds what clients can do.
void declare_limit_options(Options& options, BrokerSettings& settings);

}  // namespace mq
