#include "mqbench/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "common/value_checks.hpp"
#include "mqbench/options_results.hpp"
#include "mqbench/stamp.hpp"

namespace mq::bench {
namespace {

using Fault = std::optional<std::string>;

/// A count of clients that nobody's ports reach; what is too many here is the preflight's to say.
constexpr std::uint64_t clients_max = 10'000'000;
constexpr std::uint64_t size_max = 16 * 1024 * 1024;
constexpr std::uint64_t threads_max = 256;
constexpr double rate_max = 1e8;

/// "10000", "10000/s", "0.5/s".
std::optional<double> parse_per_second(std::string_view text) {
  if (text.ends_with("/s")) text.remove_suffix(2);
  double value = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool good = fault == std::errc{} && end == text.data() + text.size();
  return good && value >= 1e-3 && value <= rate_max ? std::optional{value} : std::nullopt;
}

ValueResult keep_rate(std::optional<double>& target, std::string_view text) {
  target = text == "max" ? std::optional{0.0} : parse_per_second(text);
  if (target) return {};
  return std::unexpected(
      fmt::format("'{}' is not a rate such as 10000/s, 0.5/s or max", mqtt::escape_for_terminal(text)));
}

ValueResult keep_ramp(std::optional<double>& target, std::string_view text) {
  target = parse_per_second(text);
  if (target) return {};
  return std::unexpected(fmt::format("'{}' is not a rate such as 500/s", mqtt::escape_for_terminal(text)));
}

std::optional<mqtt::QoS> parse_qos(std::string_view text) {
  if (text == "0") return mqtt::QoS::at_most_once;
  if (text == "1") return mqtt::QoS::at_least_once;
  if (text == "2") return mqtt::QoS::exactly_once;
  return std::nullopt;
}

/// "1": both; "2:0": of publishers, of subscribers.
ValueResult keep_qos(std::optional<std::array<mqtt::QoS, 2>>& target, std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto first = parse_qos(text.substr(0, colon));
  const auto second = colon == text.size() ? first : parse_qos(text.substr(colon + 1));
  if (!first || !second)
    return std::unexpected(
        fmt::format("'{}' is not a QoS such as 1 or 1:0", mqtt::escape_for_terminal(text)));
  target = {*first, *second};
  return {};
}

/// "fixed", "poisson", "burst:20".
ValueResult keep_arrival(BenchConfig::Typed& typed, std::string_view text) {
  typed.burst = 1;
  typed.arrival = text == "poisson" ? Arrival::poisson : Arrival::fixed;
  if (text == "fixed" || text == "poisson") return {};
  constexpr std::string_view prefix = "burst:";
  const auto size =
      text.starts_with(prefix) ? mqtt::parse_number<std::uint32_t>(text.substr(prefix.size())) : std::nullopt;
  if (!size || *size == 0)
    return std::unexpected(
        fmt::format("'{}' is none of fixed, poisson and burst:N", mqtt::escape_for_terminal(text)));
  typed.burst = *size;
  return {};
}

void declare_load(Options& o, BenchConfig::Typed& typed) {
  constexpr std::string_view group = "Load";
  o.number("--publishers", typed.publishers, {.min = 1, .max = clients_max})
      .metavar("N")
      .group(group)
      .text("clients that publish (default: the preset's)");
  o.number("--subscribers", typed.subscribers, {.max = clients_max})
      .metavar("N")
      .group(group)
      .text("clients that subscribe (default: the preset's)");
  o.parsed("-q,--qos", [&typed](std::string_view text) { return keep_qos(typed.qos, text); })
      .metavar("P[:S]")
      .group(group)
      .text("QoS of messages, and of subscriptions if it is another")
      .example("--qos 1:0");
  o.size("--size", typed.size, {.min = Stamp::size, .max = size_max})
      .metavar("BYTES")
      .group(group)
      .default_text("")
      .text("octets of a payload; 32 of them are the stamp by which latencies and losses are known");
  o.parsed("--rate", [&typed](std::string_view text) { return keep_rate(typed.rate, text); })
      .metavar("N/s|max")
      .group(group)
      .text(
          "messages per second of all publishers, by a schedule that waits for nobody (open loop); max is as "
          "fast as "
          "the window or the socket allows (closed loop)")
      .example("--rate 10000/s");
  o.number("--window", typed.window, {.min = 1})
      .metavar("N")
      .group(group)
      .text("QoS 1 and 2 messages in flight of each publisher; without --rate it makes a closed loop");
  o.parsed("--arrival", [&typed](std::string_view text) { return keep_arrival(typed, text); })
      .metavar("HOW")
      .group(group)
      .text("fixed (even distances), poisson (each publisher at random), burst:N (N at once)");
  o.parsed("--ramp", [&typed](std::string_view text) { return keep_ramp(typed.ramp, text); })
      .metavar("N/s")
      .group(group)
      .text("new connections per second (default: 1000)");
}

void declare_extent(Options& o, BenchConfig::Typed& typed) {
  constexpr std::string_view group = "Extent";
  o.duration("--warmup", typed.warmup)
      .metavar("TIME")
      .group(group)
      .text("messages of this first time count for nothing but losses (default: 1s)");
  o.duration("--duration", typed.duration)
      .metavar("TIME")
      .group(group)
      .must(some_time)
      .text("how long to measure (default: 10s)");
  o.number("--count", typed.count, {.min = 1})
      .metavar("N")
      .group(group)
      .text("publish N messages in all, and measure each of them")
      .excludes({"--duration", "--warmup"});
  o.duration("--drain", typed.drain)
      .metavar("TIME")
      .group(group)
      .text(
          "at the end, wait until nothing has come for so long (default: 10s); what has not come then is "
          "lost");
  o.number("--threads", typed.threads, {.min = 1, .max = threads_max})
      .metavar("N")
      .group(group)
      .text("workers, each with its own part of the clients (default: one per processor)");
  o.list("--source", typed.sources)
      .metavar("ADDR")
      .group(group)
      .must(ip_address)
      .text("connect from this address; several are used in turn, each with ports of its own")
      .excludes({"-A"});
  o.number("--seed", typed.seed)
      .metavar("N")
      .group(group)
      .text("for what is random: payloads and Poisson arrivals (default: 1)");
}

Fault choose_command(BenchConfig& config) {
  const BenchConfig::Typed& typed = config.typed;
  if (typed.command.empty()) return "there is no command: use run or list (or --help)";
  if (typed.command == "list") config.command = Command::list;
  if (typed.command == "list" || typed.command == "run") return std::nullopt;
  return fmt::format("there is no command {}: use run or list", quoted(typed.command));
}

void override_load(const Options& o, BenchConfig& config) {
  const BenchConfig::Typed& typed = config.typed;
  Scenario& s = config.scenario;
  s.publishers = typed.publishers.value_or(s.publishers);
  s.subscribers = typed.subscribers.value_or(s.subscribers);
  if (typed.qos) s.publish_qos = (*typed.qos)[0], s.subscribe_qos = (*typed.qos)[1];
  if (o.given("--size")) s.size = typed.size;
  if (typed.window) s.rate = 0;
  s.window = typed.window;
  s.rate = typed.rate.value_or(s.rate);
  s.arrival = typed.arrival.value_or(s.arrival);
  s.burst = typed.burst;
  s.ramp = typed.ramp.value_or(s.ramp);
}

void override_extent(BenchConfig& config) {
  const BenchConfig::Typed& typed = config.typed;
  Scenario& s = config.scenario;
  s.warmup = typed.warmup.value_or(s.warmup);
  s.duration = typed.duration.value_or(s.duration);
  s.drain = typed.drain.value_or(s.drain);
  s.threads = typed.threads.value_or(s.threads);
  s.seed = typed.seed.value_or(s.seed);
  s.sources = typed.sources;
  if (!typed.count) return;
  s.count = *typed.count;
  s.warmup = {};
  s.duration = std::chrono::hours{24 * 365};  // the count ends it
}

Fault choose_scenario(const Options& o, BenchConfig& config) {
  const Preset* const preset = find_preset(config.typed.scenario);
  if (!preset)
    return fmt::format("there is no preset {}: mqbench list shows those that there are",
                       quoted(config.typed.scenario));
  config.scenario = preset->scenario;
  override_load(o, config);
  override_extent(config);
  const Scenario& s = config.scenario;
  if (config.typed.window && s.publish_qos == mqtt::QoS::at_most_once)
    return "option '--window': at QoS 0 nothing is in flight; use --rate max";
  if (config.typed.arrival && !s.open_loop()) return "option '--arrival' needs a schedule: --rate N/s";
  if (std::uint64_t{s.publishers} + s.subscribers > clients_max)
    return fmt::format("{} publishers and {} subscribers are more than {} clients", s.publishers,
                       s.subscribers, clients_max);
  if (s.length() + s.drain > std::chrono::hours{24 * 366}) return "a run of more than a year is none";
  return std::nullopt;
}

/// What a load of many clients does not do.
Fault check_connection(const ConnectionConfig& connection) {
  if (connection.persistent || connection.session_expiry > 0)
    return "options '-c' and '-x' would leave a session of each client at the broker";
  if (connection.reconnect.enabled) return "option '--reconnect': a connection that is lost is a result here";
  // A mechanism has a conversation with one server: the clients of a worker would share it.
  if (connection.authentication.method)
    return "options '--auth-method' and '--scram-user': enhanced authentication is for one client, not for "
           "many";
  if (connection.will_on_exit) return "option '--will-on-exit': the clients always leave in an orderly way";
  if (connection.log.debug) return "option '-d': a load has too many packets to show";
  if (!connection.url_topic.empty()) return "the URL has a topic, but the topics are the benchmark's own";
  return std::nullopt;
}

}  // namespace

Program mqbench_program() {
  return {.name = "mqbench",
          .summary = "Loads an MQTT broker and measures what it does.",
          .usage = "run [SCENARIO] [OPTIONS] | list"};
}

void declare_bench_options(Options& options, BenchConfig& config) {
  options.text("COMMAND", config.typed.command)
      .default_text("")
      .text("run a scenario, or list the presets")
      .typed_only();
  options.text("SCENARIO", config.typed.scenario).text("the name of a preset").typed_only();
  declare_load(options, config.typed);
  declare_extent(options, config.typed);
  declare_result_options(options, config.results);
  declare_connect_options(options, config.connection, {mqtt::PropertyPlace::connect});
  declare_log_options(options, config.connection.log);
  options.rule([&config] { return choose_command(config); });
  options.rule([&options, &config] { return choose_scenario(options, config); });
  options.rule([&config] { return check_connection(config.connection); });
  options.example("mqbench run", "ten pairs of clients on the broker of this machine");
  options.example("mqbench run fan-in -h broker --rate 20000/s --qos 1 --json result.json",
                  "20,000 messages a second of 1,000 publishers to one subscriber");
  options.example("mqbench run sink --publishers 4 --size 100 --duration 30s",
                  "how fast four publishers can be");
}

}  // namespace mq::bench
