#include "mqbroker/bridge_settings.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "common/client_setup.hpp"
#include "common/connect_parts.hpp"
#include "common/secret_options.hpp"
#include "common/spelling.hpp"
#include "common/value_checks.hpp"

namespace mq {
namespace {

constexpr std::string_view bridge_group =
    "Bridge (each option but --bridge loses its --bridge- in a [[bridge]] table)";

ValueResult keep_bridge_url(std::optional<mqtt::Endpoint>& target, std::string_view value) {
  auto url = mqtt::parse_endpoint(value);
  if (!url) return std::unexpected(std::move(url.error().context));
  if (!url->topic.empty())
    return std::unexpected("the URL of a bridge has no topic: --bridge-topic says what goes over it");
  target = std::move(*url);
  return {};
}

ValueResult keep_node(std::vector<mqtt::net::HostPort>& hosts, std::string_view value) {
  const auto place = mqtt::parse_endpoint(fmt::format("mqtt://{}", value));
  if (!place || place->user_name || !place->topic.empty())
    return std::unexpected(fmt::format("{} is not HOST:PORT", in_quotes(value)));
  hosts.push_back({place->host, place->port});
  return {};
}

ValueResult keep_rule(std::vector<mqtt::bridge::TopicRule>& rules, std::string_view value) {
  auto rule = mqtt::bridge::parse_topic_rule(value);
  if (!rule) return std::unexpected(fmt::format("{} {}", in_quotes(value), rule.error().context));
  rules.push_back(std::move(*rule));
  return {};
}

constexpr std::string_view bridge_stem = "--bridge-";

/// `stem` begins the names: bridge_stem, or in a table "--".
class Declaration {
 public:
  Declaration(Options& options, std::string_view stem, bool typed)
      : options_{options}, stem_{stem}, typed_{typed} {}

  [[nodiscard]] std::string name(std::string_view word) const { return stem_ + std::string{word}; }
  Option& finish(Option& option) const {
    if (typed_) option.needs({"--bridge"});
    return option.group(bridge_group);
  }
  [[nodiscard]] Options& options() const { return options_; }

 private:
  Options& options_;
  std::string stem_;
  bool typed_;
};

void declare_what(const Declaration& d, BridgeSettings& bridge) {
  Options& o = d.options();
  d.finish(o.parsed(d.name("topic"),
                    [&bridge](std::string_view value) { return keep_rule(bridge.rules, value); }))
      .repeats()
      .metavar("RULE")
      .text(
          "what goes over it, as mosquitto says it: PATTERN [out|in|both [QOS [LOCAL-PREFIX "
          "[REMOTE-PREFIX]]]]. Without "
          "more it is out, with QoS 1 at most. May be given many times; the first rule that fits a topic "
          "counts")
      .example("--bridge-topic 'sensors/# out 1 \"\" plant7/'");
  d.finish(o.text(d.name("id"), bridge.client_id))
      .must(not_empty)
      .must(mqtt_string)
      .metavar("ID")
      .default_text("mqbroker-HOSTNAME")
      .text(
          "its client id at the remote server, where it has a session that stays: each bridge there needs "
          "another one");
}

void declare_how(const Declaration& d, BridgeSettings& bridge) {
  Options& o = d.options();
  ConnectionConfig& c = bridge.connection;
  d.finish(o.parsed(d.name("address"),
                    [&bridge](std::string_view value) { return keep_node(bridge.more_hosts, value); }))
      .repeats()
      .metavar("HOST:PORT")
      .example("--bridge-address hub2.example:8883")
      .text(
          "another node of the same cluster: tried when those before it cannot be reached. May be given many "
          "times");
  d.finish(o.choice(d.name("protocol-version"), c.version,
                    {{"5", mqtt::Version::v5}, {"311", mqtt::Version::v3_1_1}}))
      .metavar("VERSION")
      .default_text("5, then 311 if the server refuses it")
      .text("the version of MQTT");
  d.finish(o.parsed(d.name("retry-delay"),
                    [&c](std::string_view value) { return detail::keep_retry_delay(c.reconnect, value); }))
      .metavar("MIN..MAX")
      .default_text("500ms..30s")
      .example("--bridge-retry-delay 1s..1m")
      .text(
          "a lost or refused connection is tried again after a random delay that grows from MIN to MAX, for "
          "ever");
  d.finish(o.text(d.name("cafile"), c.tls.ca_file))
      .must(not_empty)
      .file()
      .text("mqtts, wss: CA certificates for the server's (PEM)");
  d.finish(o.text(d.name("cert"), c.tls.certificate_file))
      .must(not_empty)
      .file()
      .text("mqtts, wss: a certificate of our own (PEM)");
  d.finish(o.text(d.name("key"), c.tls.key_file)).must(not_empty).file().text("its key");
  d.finish(o.text(d.name("keypass-file"), c.key_password.file))
      .must(not_empty)
      .file()
      .text("the key's password is in this file");
  d.finish(o.text(d.name("password-file"), c.password.file))
      .must(not_empty)
      .file()
      .text("the password for the user name of the URL is in this file, and in no list of processes");
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

bool uses_certificates(const ConnectionConfig& c) {
  return !c.tls.ca_file.empty() || !c.tls.certificate_file.empty() || !c.tls.key_file.empty();
}

std::optional<std::string> find_one_fault(const BridgeSettings& bridge) {
  if (bridge.rules.empty()) return "nothing would go over it: say what with --bridge-topic";
  const ConnectionConfig& c = bridge.connection;
  if (uses_certificates(c) && !mqtt::uses_tls(bridge.url->transport))
    return "certificates are for mqtts:// and wss://";
  if (c.tls.certificate_file.empty() != c.tls.key_file.empty())
    return "--bridge-cert and --bridge-key go together";
  if (const auto usable = mqtt_string(bridge.url->user_name.value_or("")); !usable)
    return "the user name in the URL: " + usable.error();
  if (c.key_password.file && c.tls.key_file.empty()) return "--bridge-keypass-file needs --bridge-key";
  if (c.password.file && bridge.url->password)
    return "a password in the URL and one in a file are one too many";
  if (c.password.file && !bridge.url->user_name) return "--bridge-password-file needs a user name in the URL";
  if (!bridge.more_hosts.empty() && bridge.url->transport == mqtt::Transport::unix_socket)
    return "a unix socket has no other addresses";
  return std::nullopt;
}

}  // namespace

std::string BridgeSettings::name() const { return at_url({}, *url).where(); }

void declare_bridge_options(Options& o, BridgeSettings& bridge) {
  o.parsed("--bridge", [&bridge](std::string_view value) { return keep_bridge_url(bridge.url, value); })
      .metavar("URL")
      .group(bridge_group)
      .secret(detail::secrets_of_url)
      .text(
          "pass messages on to another server and take them from there: mqtt://, mqtts://, ws://, wss:// or "
          "unix:// with user "
          "name and password. What cannot be passed on now waits here, within the limits of a client's "
          "queue, and with --db "
          "on disk. More bridges: [[bridge]] tables of the file, with a url")
      .example("--bridge mqtts://edge7@hub.example:8883 --bridge-topic 'sensors/# out 1'");
  const Declaration d{o, bridge_stem, true};
  declare_what(d, bridge);
  declare_how(d, bridge);
}

std::expected<BridgeSettings, std::string> read_bridge(const SettingsTable& table) {
  BridgeSettings bridge;
  Options options{{.name = "", .summary = "", .usage = ""}};
  options.parsed("--url", [&bridge](std::string_view value) { return keep_bridge_url(bridge.url, value); });
  const Declaration d{options, "--", false};
  declare_what(d, bridge);
  declare_how(d, bridge);
  if (auto sentence = options.read_settings(table.settings)) return std::unexpected(std::move(*sentence));
  if (!bridge.url) return std::unexpected(fmt::format("{}: the bridge has no url", table.where));
  return bridge;
}

std::optional<std::string> find_bridge_fault(const std::vector<BridgeSettings>& bridges) {
  for (std::size_t i = 0; i < bridges.size(); ++i) {
    if (const auto fault = find_one_fault(bridges[i]))
      return fmt::format("bridge to {}: {}", mqtt::escape_for_terminal(bridges[i].name()), *fault);
    for (std::size_t k = 0; k < i; ++k)
      if (bridges[i].name() == bridges[k].name())
        return fmt::format("two bridges to {}: one with the topics of both is meant",
                           mqtt::escape_for_terminal(bridges[i].name()));
  }
  return std::nullopt;
}

std::expected<BridgeSetup, std::string> make_bridge_setup(const BridgeSettings& bridge) {
  ConnectionConfig config = at_url(bridge.connection, *bridge.url);
  std::ranges::copy(bridge.more_hosts, std::back_inserter(config.hosts));
  config.client_id = bridge.client_id.empty() ? "mqbroker-" + host_name() : bridge.client_id;
  config.persistent = true;
  config.reconnect.enabled = true;
  auto setup = make_client_setup(config, "mqbroker");
  if (!setup)
    return std::unexpected(fmt::format("bridge to {}: {}", mqtt::escape_for_terminal(bridge.name()),
                                       setup.error().sentence.text));
  Where where = where_of(config, *setup);
  where.option_stem = bridge_stem;
  return BridgeSetup{{.name = bridge.name(), .rules = bridge.rules, .remote = std::move(setup->options)},
                     std::move(where)};
}

}  // namespace mq
