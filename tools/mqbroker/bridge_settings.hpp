#pragma once
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/bridge/bridge.hpp>

#include "common/connect_options.hpp"
#include "common/options.hpp"
#include "common/sentences.hpp"

namespace mq {

/// One bridge, as its options or its [[bridge]] table say it.
struct BridgeSettings {
  std::optional<mqtt::Endpoint> url;
  std::vector<mqtt::net::HostPort> more_hosts;  ///< of the same server or cluster
  std::vector<mqtt::bridge::TopicRule> rules;
  std::string client_id;  ///< at the remote server; empty: the default
  ConnectionConfig connection;

  /// "broker.lan:1883": also what it is called in the log.
  [[nodiscard]] std::string name() const;
};

/// The bridge of the command line, or of the file's top level.
void declare_bridge_options(Options& options, BridgeSettings& bridge);

/// Reads one [[bridge]].
[[nodiscard]] std::expected<BridgeSettings, std::string> read_bridge(const SettingsTable& table);

/// A sentence if a bridge is not complete, or two have one name.
[[nodiscard]] std::optional<std::string> find_bridge_fault(const std::vector<BridgeSettings>& bridges);

/// A bridge that is ready to be opened, and what its log lines name.
struct BridgeSetup {
  mqtt::bridge::BridgeConfig config;
  Where where;
};

/// Reads certificates and the password. A sentence if something cannot be used.
[[nodiscard]] std::expected<BridgeSetup, std::string> make_bridge_setup(const BridgeSettings& bridge);

}  // namespace mq
