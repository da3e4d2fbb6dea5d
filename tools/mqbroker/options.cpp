#include "mqbroker/options.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include <mqtt/net/address.hpp>

#include "common/connect_options.hpp"
#include "common/readiness.hpp"
#include "common/spelling.hpp"
#include "common/value_checks.hpp"
#include "mqbroker/inherited.hpp"

namespace mq {
namespace {

constexpr std::string_view listening = "Listening";
constexpr std::string_view running = "Running";

ValueResult keep_host(std::optional<std::string>& host, std::string_view value) {
  if (value != "localhost" && !mqtt::net::is_ip_literal(value))
    return std::unexpected(fmt::format("{} is not an IP address or localhost", in_quotes(value)));
  host = value;
  return {};
}

ValueResult keep_place(std::vector<ListenPlace>& places, std::string_view url) {
  auto place = parse_listen_url(url);
  if (!place) return std::unexpected(std::move(place.error()));
  places.push_back(std::move(*place));
  return {};
}

/// Who brings mosquitto's configuration sees what is wanted instead.
std::string with_hint(std::string fault) {
  if (fault.find("expected '='") != std::string::npos)
    fault += "; the file is TOML, as in 'port = 1883', and not that of mosquitto";
  return fault;
}

/// The top level is for the options; [[listener]] tables are kept for later.
std::expected<std::vector<Setting>, std::string> read_file(BrokerSettings& settings,
                                                           const std::string& path) {
  auto file = read_settings_file(path);
  if (!file) return std::unexpected(with_hint(std::move(file.error())));
  for (const SettingsTable& table : file->tables)
    if (table.name != "listener" && table.name != "bridge")
      return std::unexpected(fmt::format("{}: unknown table {}; there are only [[listener]] and [[bridge]]",
                                         table.where, in_quotes(table.name)));
  for (const SettingsTable& table : file->sections)
    return std::unexpected(
        fmt::format("{}: [{}] is not a table of mqbroker's: a listener's begins with [[listener]]",
                    table.where, mqtt::escape_for_terminal(table.name)));
  for (SettingsTable& table : file->tables)
    (table.name == "bridge" ? settings.typed.bridge_tables : settings.typed.tables)
        .push_back(std::move(table));
  return std::move(file->settings);
}

void declare_listening(Options& o, BrokerSettings::Typed& typed) {
  o.parsed("--listen", [&typed](std::string_view value) { return keep_place(typed.places, value); })
      .repeats()
      .metavar("URL")
      .group(listening)
      .text(
          "listen here: mqtt://, mqtts://, ws://, wss:// with ADDRESS:PORT and, for WebSocket, a path "
          "(without: any); "
          "unix:///PATH. May be given many times. Sockets of a service manager (LISTEN_FDS) come in "
          "addition, "
          "and stand in for the default: mqtt, or what they are named in LISTEN_FDNAMES (mqtts, ws, wss)")
      .example("--listen ws://127.0.0.1:8080/mqtt");
  o.parsed("-h,--host,--bind", [&typed](std::string_view value) { return keep_host(typed.host, value); })
      .metavar("ADDRESS")
      .group(listening)
      .default_text("localhost, which is 127.0.0.1 and ::1")
      .text("listen for MQTT over TCP at this address; not only there if --listen is given too");
  o.number("-p,--port", typed.port)
      .metavar("PORT")
      .group(listening)
      .default_text("1883")
      .text("listen for MQTT over TCP at this port; 0: a free one");
}

void declare_running(Options& o, BrokerSettings& settings) {
  o.settings_file("-c,--config", settings.typed.config_file,
                  [&settings](const std::string& path) { return read_file(settings, path); })
      .file()
      .group(running)
      .text(
          "read options from this TOML file, by their long names without '--' (port = 1883). What is typed "
          "beats the file. [[listener]] tables have a url and the options of listeners");
  // More than that many would wait for the one that is the broker.
  o.number("--threads", settings.threads, {.min = 1, .max = 64})
      .group(running)
      .text(
          "of so many threads one is the broker, and the others carry the connections, each from its "
          "beginning to its end: their system calls, TLS and WebSocket, and messages of QoS 0, which they "
          "route among themselves. 1: one thread does it all, which is best for QoS 1 and 2 where the "
          "machine "
          "has no more than two cores")
      .example("--threads 4");
  o.flag("--check-config", settings.check_only)
      .typed_only()
      .group(running)
      .text("read the configuration and the certificates, say whether they can be used, and exit (0 or 2)");
  o.flag("--print-address", settings.print_address)
      .group(running)
      .text("write a URL per address to standard output once all listen");
  o.number("--ready-fd", settings.ready_fd)
      .metavar("FD")
      .group(running)
      .text("write a newline to this descriptor once all listen, and close it");
}

bool is_typed(const Options& options, std::string_view name) {
  return options.find(name).source() == Source::command_line;
}

/// The plain TCP listener of -h and -p; the default one if nothing else is said.
bool wants_plain(const Options& options, const BrokerSettings& settings) {
  const BrokerSettings::Typed& typed = settings.typed;
  if (is_typed(options, "--host") || is_typed(options, "--port")) return true;
  if (is_typed(options, "--listen")) return false;
  return typed.host || typed.port || (settings.listeners.empty() && typed.tables.empty());
}

/// Before the others, and whatever else is said: their clients would wait in vain.
std::optional<std::string> join_inherited(BrokerSettings& settings) {
  const auto inherited = take_inherited_sockets();
  if (!inherited) return inherited.error();
  for (const InheritedSocket& socket : *inherited)
    settings.listeners.push_back({socket.place, settings.typed.traits, "", socket.fd});
  return std::nullopt;
}

std::optional<std::string> join_bridges(BrokerSettings& settings) {
  if (settings.typed.bridge.url) settings.bridges.push_back(settings.typed.bridge);
  for (const SettingsTable& table : settings.typed.bridge_tables) {
    auto bridge = read_bridge(table);
    if (!bridge) return std::move(bridge.error());
    settings.bridges.push_back(std::move(*bridge));
  }
  return find_bridge_fault(settings.bridges);
}

/// Whoever types where to listen means it: the file's listeners are left out then.
std::optional<std::string> join_listeners(const Options& options, BrokerSettings& settings) {
  const BrokerSettings::Typed& typed = settings.typed;
  const bool types_url = is_typed(options, "--listen");
  const bool types_place = types_url || is_typed(options, "--host") || is_typed(options, "--port");
  if (types_url || !types_place)
    for (const ListenPlace& place : typed.places) settings.listeners.push_back({place, typed.traits, {}});
  if (wants_plain(options, settings)) {
    ListenerSettings& listener = settings.listeners.emplace_back(ListenPlace{}, typed.traits, "");
    listener.place.host = typed.host.value_or(listener.place.host);
    listener.place.port = typed.port.value_or(listener.place.port);
  }
  for (const SettingsTable& table : typed.tables) {
    auto listener = read_listener(table, typed.traits);
    if (!listener) return std::move(listener.error());
    if (!types_place) settings.listeners.push_back(std::move(*listener));
  }
  return std::nullopt;
}

std::optional<std::string> check_listeners(const BrokerSettings& settings) {
  bool any_tls = false;
  for (const ListenerSettings& listener : settings.listeners) {
    if (auto fault =
            find_fault(listener, settings.password_file || settings.tokens.given() ? Admission::password
                                                                                   : Admission::anybody))
      return fault;
    any_tls = any_tls || mqtt::uses_tls(listener.place.transport);
  }
  if (!any_tls && !settings.typed.traits.tls.psk_file.empty())
    return "option '--psk-file' is for TLS listeners, and there is none: use --listen mqtts://ADDRESS:8883";
  if (!any_tls && !settings.typed.traits.tls.certificate_file.empty())
    return "option '--cert' is for TLS listeners, and there is none: use --listen mqtts://ADDRESS:8883";
  return std::nullopt;
}

void declare_status(Options& o, mqtt::broker::BrokerConfig& broker) {
  static constexpr std::chrono::milliseconds shortest{100};
  broker.status_interval = std::chrono::seconds{10};  // that of mosquitto
  o.duration("--sys-interval", broker.status_interval)
      .group("Diagnostics")
      .text(
          "how often the topics $SYS/broker/... are brought up to date, which have mosquitto's names; 0: "
          "there are none");
  o.rule([&broker]() -> std::optional<std::string> {
    const mqtt::Duration interval = broker.status_interval;
    if (interval == mqtt::Duration{0} || interval >= shortest) return std::nullopt;
    return "option '--sys-interval' is 0 or at least 100ms";
  });
}

ValueResult keep_address(std::optional<mqtt::net::HostPort>& target, std::string_view text) {
  auto address = parse_address_with_port(text);
  if (!address) return std::unexpected(std::move(address.error()));
  target = std::move(*address);
  return {};
}

void declare_metrics(Options& o, BrokerSettings& settings) {
  o.parsed("--metrics", [&settings](std::string_view text) { return keep_address(settings.metrics, text); })
      .metavar("ADDR")
      .group("Diagnostics")
      .text(
          "serve over HTTP: a status page at http://ADDR/, metrics for Prometheus at /metrics, and /healthz "
          "(200, or 503 when the database cannot keep anything); with port 0 the system chooses one, which "
          "the log says")
      .example("--metrics 127.0.0.1:9400");
  o.flag("--metrics-public", settings.metrics_public)
      .needs({"--metrics"})
      .group("Diagnostics")
      .text("ADDR may be beyond this machine: whoever reaches it reads client ids and addresses there");
  o.rule([&settings]() -> std::optional<std::string> {
    if (settings.metrics && !settings.metrics_public && !is_loopback(settings.metrics->host))
      return fmt::format(
          "option '--metrics': {} is not of this machine alone, and anybody who reaches it "
          "can read there: say --metrics-public if that is meant",
          in_quotes(settings.metrics->host));
    return std::nullopt;
  });
}

}  // namespace

Program mqbroker_program() {
  return {
      .name = "mqbroker",
      .summary =
          "An MQTT broker: 3.1, 3.1.1 and 5.0, for this machine unless it is told otherwise. Exit "
          "codes: 2 the configuration cannot be used, 4 an address cannot be listened on, 14 the database "
          "cannot be used, 143 and 130 ended by SIGTERM and SIGINT.",
      .usage = "[OPTIONS]",
      .commands = {"passwd"}};
}

void declare_broker_options(Options& o, BrokerSettings& settings) {
  declare_listening(o, settings.typed);
  declare_running(o, settings);
  declare_listener_traits(o, settings.typed.traits);
  declare_access_options(o, settings);
  declare_store_options(o, settings);
  declare_bridge_options(o, settings.typed.bridge);
  declare_limit_options(o, settings);
  o.flag("-v,--verbose", settings.verbose)
      .group("Diagnostics")
      .text("lines on standard error for connections, refusals and subscriptions too");
  o.list("--trace", settings.traced)
      .must(not_empty)
      .metavar("CLIENT|TOPIC")
      .group("Diagnostics")
      .text(
          "show the packets of the client with this id, and those about topics that match this filter, as "
          "mqspy does; secrets are left out, payloads are not. May be given many times")
      .example("--trace 'plant/+/alarm'");
  declare_status(o, settings.broker);
  declare_metrics(o, settings);
  declare_log_options(o, settings.log);
  o.rule([&o, &settings]() -> std::optional<std::string> {
    settings.typed.log_detail = is_typed(o, "--verbose") || is_typed(o, "--debug");
    return std::nullopt;
  });
  o.rule([&settings] { return check_ready_fd(settings.ready_fd); });
  o.rule([&settings] { return join_inherited(settings); });
  o.rule([&o, &settings] { return join_listeners(o, settings); });
  o.rule([&settings] { return check_listeners(settings); });
  o.rule([&settings] { return join_bridges(settings); });
  o.example("mqbroker", "listen on this machine, port 1883");
  o.example("mqbroker -h 0.0.0.0 --allow-anonymous", "let anybody in who can reach this machine");
  o.example("mqbroker --port 0 --print-address", "for tests: any free port, and say which");
  o.example(
      "mqbroker --db mq.db --bridge mqtts://edge7@hub.example --bridge-topic 'sensors/# out 1' "
      "--bridge-topic 'commands/# in 1'",
      "hand on to a bigger one what comes in here, whenever that can be reached");
  o.example(
      "mqbroker --listen mqtts://0.0.0.0:8883 --cert s.pem --key s.key --client-certs required --cafile "
      "ca.pem",
      "let those in who have a certificate of our CA");
}

}  // namespace mq
