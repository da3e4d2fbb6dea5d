#include "common/connect_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <mqtt/util/text.hpp>

#include "common/connect_parts.hpp"
#include "common/secret_options.hpp"
#include "common/spelling.hpp"
#include "common/value_checks.hpp"

namespace mq {
namespace detail {

std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

ValueResult keep_retry_delay(mqtt::ReconnectPolicy& policy, std::string_view value) {
  const std::size_t dots = value.find("..");
  const auto min = mqtt::parse_duration(value.substr(0, dots));
  const auto max = dots == std::string_view::npos ? min : mqtt::parse_duration(value.substr(dots + 2));
  if (!min || !max || min->count() == 0 || *max < *min)
    return std::unexpected(
        fmt::format("{} is not a range of durations such as 500ms..30s", in_quotes(value)));
  policy.min = *min;
  policy.max = *max;
  policy.enabled = true;
  return {};
}

std::vector<Option::Part> secrets_of_url(std::string_view url) {
  std::vector<Option::Part> parts;
  const std::size_t scheme = url.find("://");
  const std::size_t authority = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t colon = url.find(':', authority), at = url.rfind('@');
  if (colon != std::string_view::npos && at != std::string_view::npos && colon < at)
    parts.push_back({colon + 1, at});
  if (const std::size_t query = url.find('?'); query != std::string_view::npos)
    parts.push_back({query + 1, url.size()});
  return parts;
}

}  // namespace detail

namespace {

using mqtt::Version;

/// A number of seconds, with a unit if one likes: "60", "2m".
std::optional<std::uint32_t> whole_seconds(std::string_view text, std::uint32_t max) {
  const auto duration = mqtt::parse_duration(text);
  if (!duration || duration->count() % 1'000'000'000 != 0) return std::nullopt;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*duration).count();
  if (seconds > max) return std::nullopt;
  return static_cast<std::uint32_t>(seconds);
}

std::unexpected<ValueFault> not_seconds(std::string_view value, std::uint32_t max) {
  return std::unexpected(
      fmt::format("{} is not a whole number of seconds from 0 to {}", in_quotes(value), max));
}

ValueResult keep_keep_alive(ConnectionConfig& config, std::string_view value) {
  constexpr std::uint32_t most = 65'535;
  const auto seconds = whole_seconds(value, most);
  if (!seconds) return not_seconds(value, most);
  config.keep_alive = static_cast<std::uint16_t>(*seconds);
  return {};
}

ValueResult keep_session_expiry(ConnectionConfig& config, std::string_view value) {
  const bool never = value == "never" || value == "-1" || value == "∞";
  const auto seconds =
      never ? std::optional{session_never_expires} : whole_seconds(value, session_never_expires);
  if (!seconds) return not_seconds(value, session_never_expires);
  config.typed.session_expiry = seconds;
  return {};
}

ValueResult keep_url(ConnectionConfig& config, std::string_view value) {
  auto endpoint = mqtt::parse_endpoint(value);
  if (!endpoint) return std::unexpected(std::move(endpoint.error().context));
  config.typed.url = std::move(*endpoint);
  return {};
}

/// RFC 9110, 5.6.2.
bool is_http_token(std::string_view text) {
  constexpr std::string_view letters =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return !text.empty() && text.find_first_not_of(letters) == std::string_view::npos;
}

/// What no field value may hold (RFC 9110, 5.5): a line feed would begin another header.
bool is_control(char c) { return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f'; }

ValueResult keep_header(ConnectionConfig& config, std::string_view value) {
  const std::size_t colon = value.find(':');
  if (colon == std::string_view::npos || !is_http_token(value.substr(0, colon)))
    return std::unexpected(fmt::format("{} is not NAME:VALUE", in_quotes(value)));
  const std::string_view rest = value.substr(colon + 1);
  if (std::ranges::any_of(rest, is_control))
    return std::unexpected(in_quotes(value) + " holds a control character");
  const std::size_t start = std::min(rest.find_first_not_of(' '), rest.size());
  config.ws_headers.push_back({std::string{value.substr(0, colon)}, std::string{rest.substr(start)}});
  return {};
}

/// What may be secret in a header is its value.
std::vector<Option::Part> secrets_of_header(std::string_view header) {
  const std::size_t colon = header.find(':');
  if (colon == std::string_view::npos) return {};
  return {{colon + 1, header.size()}};
}

void declare_address(Options& o, ConnectionConfig& c) {
  constexpr std::string_view group = "Connection";
  o.parsed("-L,--url", [&c](std::string_view value) { return keep_url(c, value); })
      .metavar("URL")
      .group(group)
      .env("MQTT_URL")
      .text("mqtt://, mqtts://, ws://, wss:// or unix:// address: mqtts://user:password@host:port/topic")
      .excludes({"--host", "--port", "--unix"})
      .secret(detail::secrets_of_url)
      .example("-L mqtts://broker.example:8883");
  o.text("-h,--host", c.typed.host)
      .metavar("HOST")
      .group(group)
      .default_text("localhost")
      .text("the server's name or address; several, separated by commas, are tried in order");
  o.number("-p,--port", c.typed.port, {.min = 1})
      .metavar("PORT")
      .group(group)
      .text("the server's port")
      .default_text("1883, with TLS 8883");
  o.text("--unix", c.unix_path)
      .metavar("PATH")
      .completes(Completion::file)
      .group(group)
      .must(not_empty)
      .text("connect to this unix socket")
      .excludes({"--host", "--port"});
  o.flag("-4", c.typed.ipv4).group(group).text("use IPv4 only").excludes({"-6"});
  o.flag("-6", c.typed.ipv6).group(group).text("use IPv6 only");
  o.ignored_flag("--nodelay").group(group).hidden().text("always on: small packets leave at once");
}

void declare_patience(Options& o, ConnectionConfig& c) {
  constexpr std::string_view group = "Connection";
  o.duration("--connect-timeout", c.connect_timeout)
      .group(group)
      .must(some_time)
      .text("give up when the server has not accepted the connection after this time");
  o.flag("--reconnect", c.reconnect.enabled)
      .group(group)
      .text("connect again when the connection fails or is lost, and to another server if this one says so");
  o.parsed("--retry-max",
           [&c](std::string_view value) -> ValueResult {
             const auto count = mqtt::parse_number<std::uint32_t>(value);
             if (!count || *count == 0)
               return std::unexpected(in_quotes(value) + " is not a number from 1 up");
             c.reconnect.retry_max = count;
             c.reconnect.enabled = true;
             return {};
           })
      .metavar("N")
      .group(group)
      .text("connect again, but give up after N attempts in a row");
  o.parsed("--retry-delay",
           [&c](std::string_view value) { return detail::keep_retry_delay(c.reconnect, value); })
      .metavar("MIN..MAX")
      .group(group)
      .text("connect again, after a random delay that grows from MIN to MAX")
      .example("--retry-delay 1s..1m")
      .default_text(fmt::format("{}..{}", mqtt::format_duration(c.reconnect.min),
                                mqtt::format_duration(c.reconnect.max)));
}

void declare_websocket(Options& o, ConnectionConfig& c) {
  constexpr std::string_view group = "WebSocket";
  o.text("--ws-path", c.typed.ws_path)
      .metavar("PATH")
      .group(group)
      .default_text(c.ws_path)
      .must(http_path)
      .text("use WebSocket, at this path");
  o.parsed("--ws-header", [&c](std::string_view value) { return keep_header(c, value); })
      .metavar("NAME:VALUE")
      .group(group)
      .text("use WebSocket, and send this header with its upgrade; may be given many times")
      .example("--ws-header 'X-Tenant: north'")
      .secret(secrets_of_header);
}

void declare_credentials(Options& o, ConnectionConfig& c) {
  constexpr std::string_view group = "Credentials";
  o.text("-u,--username", c.user_name).metavar("NAME").group(group).text("user name").must(mqtt_string);
  o.text("-P,--pw,--password", c.password.value)
      .metavar("TEXT")
      .group(group)
      .text("the password; better use one of the following, since others may see the command line")
      .secret();
  declare_secret_options(o, c.password, "--password", "the password", group, {"--password"});
}

void declare_session(Options& o, ConnectionConfig& c) {
  constexpr std::string_view group = "Session";
  o.text("-i,--id", c.client_id)
      .metavar("ID")
      .group(group)
      .text("client id")
      .default_text("a random one")
      .must(mqtt_string);
  o.text("-I,--id-prefix", c.id_prefix)
      .metavar("PREFIX")
      .group(group)
      .text("a random client id with this beginning")
      .must(mqtt_string)
      .excludes({"--id"});
  o.flag("-c,--disable-clean-session", c.persistent)
      .group(group)
      .text("go on with the session that the server keeps for this client id, and leave it there");
  o.parsed("-x,--session-expiry-interval",
           [&c](std::string_view value) { return keep_session_expiry(c, value); })
      .metavar("DURATION")
      .group(group)
      .default_text("0, with -c never")
      .text("how long the server keeps the session after the connection ends, or 'never' (MQTT 5)");
  o.parsed("-k,--keepalive", [&c](std::string_view value) { return keep_keep_alive(c, value); })
      .metavar("DURATION")
      .group(group)
      .default_text(fmt::format("{}s", c.keep_alive))
      .text("longest silence before the connection is probed; 0 turns it off");
  o.number("-M,--max-inflight", c.max_inflight, {.min = 1})
      .metavar("N")
      .group(group)
      .text("messages that may wait for their acknowledgement, in each direction");
}

/// Of "PACKET NAME VALUE".
std::vector<Option::Part> secrets_of_property(std::string_view words) {
  const std::size_t name = words.find(' ') + 1, value = words.find(' ', name) + 1;
  const bool whole = name != 0 && value != 0;
  const auto* const info = whole ? mqtt::find_property(words.substr(name, value - name - 1)) : nullptr;
  if (!info || info->id != mqtt::PropertyId::authentication_data) return {};
  return {{value, words.size()}};
}

void declare_protocol(Options& o, ConnectionConfig& c, const std::vector<mqtt::PropertyPlace>& packets) {
  constexpr std::string_view group = "Protocol";
  o.choice("-V,--protocol-version", c.version,
           {{"5", Version::v5},
            {"311", Version::v3_1_1},
            {"31", Version::v3_1},
            {"mqttv5", Version::v5},
            {"mqttv311", Version::v3_1_1},
            {"mqttv31", Version::v3_1}})
      .metavar("VERSION")
      .group(group)
      .env("MQTT_VERSION")
      .default_text("5, then 311 if the server refuses it")
      .text("speak only this version of MQTT")
      .example("-V 311");
  o.parsed_tuple("-D,--property", property_values_wanted,
                 [&c, packets](Option::Values values) { return add_property(c.properties, values, packets); })
      .metavar("PACKET NAME VALUE")
      .suggests([packets] { return property_words(packets); })
      .group(group)
      .secret(secrets_of_property)
      .text(
          "set a property of MQTT 5; a user-property has a key and a value, binary values may be "
          "base64:TEXT or @FILE; may be given many times")
      .example("-D publish content-type application/json");
}

void declare_will(Options& o, ConnectionConfig& c) {
  constexpr std::string_view group = "Will";
  WillConfig& will = c.typed.will;
  o.text("--will-topic", will.topic)
      .metavar("TOPIC")
      .group(group)
      .text("leave a message with the server, to be published here if this client vanishes");
  o.text("--will-payload", will.payload)
      .metavar("TEXT")
      .group(group)
      .text("its payload")
      .default_text("empty")
      .needs({"--will-topic"});
  o.choice("--will-qos", will.qos,
           {{"0", mqtt::QoS::at_most_once}, {"1", mqtt::QoS::at_least_once}, {"2", mqtt::QoS::exactly_once}})
      .metavar("QOS")
      .group(group)
      .text("its quality of service")
      .needs({"--will-topic"});
  o.flag("--will-retain", will.retain).group(group).text("it is retained").needs({"--will-topic"});
  o.flag("--will-on-exit", c.will_on_exit)
      .group(group)
      .text("it is published when a signal ends the program, too")
      .needs({"--will-topic"});
}

}  // namespace

std::string ConnectionConfig::where() const {
  if (!unix_path.empty()) return unix_path;
  if (!service.empty()) return hosts.front().host;
  std::vector<std::string> names;
  for (const auto& [host, port] : hosts) names.push_back(mqtt::net::host_and_port(host, port));
  return fmt::format("{}", fmt::join(names, ", "));
}

void declare_connect_options(Options& options, ConnectionConfig& config,
                             std::initializer_list<mqtt::PropertyPlace> packets) {
  declare_address(options, config);
  detail::declare_route_options(options, config);
  declare_patience(options, config);
  declare_credentials(options, config);
  detail::declare_authentication_options(options, config);
  declare_session(options, config);
  declare_protocol(options, config, packets);
  declare_will(options, config);
  detail::declare_tls_options(options, config);
  detail::declare_no_tls(options, config);
  declare_websocket(options, config);
  declare_file_options(options, config.typed.files);
  options.rule([&options, &config] { return detail::join_connection(options, config); });
}

void declare_log_options(Options& options, LogSettings& log) {
  constexpr std::string_view group = "Diagnostics";
  options.flag("-d,--debug", log.debug).group(group).text("a line on standard error for each packet");
  options.flag("--quiet", log.quiet).group(group).text("no warnings on standard error, only errors");
  options.choice("--log-format", log.format, {{"text", LogFormat::text}, {"json", LogFormat::json}})
      .group(group)
      .text("how lines on standard error look");
  options
      .choice("--color", log.color,
              {{"auto", ColorMode::automatic}, {"always", ColorMode::always}, {"never", ColorMode::never}})
      .metavar("WHEN")
      .group(group)
      .text(
          "colours on standard error and of topics on standard output; auto: on a terminal, unless NO_COLOR "
          "is set");
}

}  // namespace mq
