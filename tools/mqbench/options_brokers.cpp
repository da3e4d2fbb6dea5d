#include "mqbench/options_brokers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/connect_parts.hpp"
#include "mqbench/scenario_lists.hpp"

namespace mq::bench {
namespace {

ValueResult keep_broker(std::vector<mqtt::Endpoint>& target, std::string_view text) {
  auto fault = add_broker(target, text);
  if (fault) return std::unexpected(std::move(*fault));
  return {};
}

/// Number 0 is the one of the connection options.
BrokerList brokers_of(const Scenario& s) {
  BrokerList list;
  const auto add = [&list](const std::vector<mqtt::Endpoint>& urls, std::vector<std::uint32_t> otherwise) {
    if (urls.empty()) return otherwise;
    std::vector<std::uint32_t> numbers;
    for (const mqtt::Endpoint& url : urls) {
      list.urls.push_back(url);
      numbers.push_back(static_cast<std::uint32_t>(list.urls.size()));
    }
    return numbers;
  };
  const std::vector<std::uint32_t> all = add(s.brokers, {0});
  list.publish_to = add(s.publish_to, all);
  list.subscribe_from = add(s.subscribe_from, all);
  return list;
}

/// As a list of URLs says it; empty if that cannot be said by one: names that are tried in turn, a service.
std::vector<mqtt::Endpoint> address_of(const ConnectionConfig& connection) {
  mqtt::Endpoint address;
  address.transport = connection.transport;
  if (connection.transport == mqtt::Transport::unix_socket) {
    address.path = connection.unix_path;
    return {address};
  }
  if (connection.hosts.size() != 1 || !connection.service.empty()) return {};
  address.host = connection.hosts.front().host;
  address.port = connection.hosts.front().port;
  if (mqtt::uses_websocket(connection.transport)) address.path = connection.ws_path;
  return {address};
}

}  // namespace

void declare_broker_options(Options& o, BenchConfig::Typed& typed) {
  constexpr std::string_view group = "Brokers";
  const auto declare = [&](std::string_view name, std::vector<mqtt::Endpoint>& target,
                           std::string_view text) -> Option& {
    return o.parsed(name, [&target](std::string_view value) { return keep_broker(target, value); })
        .repeats()
        .metavar("URL")
        .group(group)
        .secret(detail::secrets_of_url)
        .text(text);
  };
  declare("--broker", typed.brokers,
          "a broker's address, instead of -L and -h; several are nodes of a cluster, and clients take them "
          "in turn")
      .excludes({"--url", "--host", "--port", "--unix", "-S"});
  declare("--publish-to", typed.publish_to, "brokers of the publishers alone, in turn");
  declare("--subscribe-from", typed.subscribe_from, "brokers of the subscribers alone, in turn");
}

void override_brokers(const Options& options, BenchConfig& config) {
  const BenchConfig::Typed& typed = config.typed;
  Scenario& s = config.scenario;
  const auto is_typed = [&options](std::string_view name) {
    return options.find(name).source() == Source::command_line;
  };
  const bool address_typed =
      std::ranges::any_of(std::array{"--url", "--host", "--port", "--unix", "-S"}, is_typed);
  if (address_typed || config.results.self || !typed.brokers.empty())
    s.brokers = typed.brokers, s.publish_to.clear(), s.subscribe_from.clear();
  if (!typed.publish_to.empty()) s.publish_to = typed.publish_to;
  if (!typed.subscribe_from.empty()) s.subscribe_from = typed.subscribe_from;
  config.brokers = brokers_of(s);
  const bool shown = config.command != Command::list || address_typed;
  if (shown && config.brokers.uses(0) && !config.results.self) s.brokers = address_of(config.connection);
}

std::optional<std::string> override_properties(BenchConfig& config) {
  ConnectionConfig& connection = config.connection;
  for (const auto place :
       {mqtt::PropertyPlace::connect, mqtt::PropertyPlace::publish, mqtt::PropertyPlace::subscribe}) {
    mqtt::Properties& own = config.scenario.properties.at(place);
    mqtt::Properties& given = connection.properties.at(place);
    if (given.empty())
      given = own;
    else
      own = given;
  }
  if (connection.properties.empty()) return std::nullopt;
  if (connection.version.value_or(mqtt::Version::v5) != mqtt::Version::v5)
    return fmt::format("the scenario's properties need MQTT 5, but option '-V' asks for {}",
                       to_string(*connection.version));
  if (connection.max_inflight &&
      connection.properties.at(mqtt::PropertyPlace::connect).view().find(mqtt::PropertyId::receive_maximum))
    return "option '-M' and the scenario's properties both give the Receive Maximum";
  connection.needs_v5 = true;
  return std::nullopt;
}

}  // namespace mq::bench
