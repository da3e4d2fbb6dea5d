#include "mqbench/options_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "common/value_checks.hpp"
#include "mqbench/options_brokers.hpp"
#include "mqbench/scenario_json.hpp"
#include "mqbench/source_range.hpp"
#include "mqbench/stamp.hpp"

namespace mq::bench {
namespace {

using Fault = std::optional<std::string>;

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

template <class Pattern>
ValueResult keep_pattern(std::optional<Pattern>& target, std::string_view text) {
  auto pattern = Pattern::parse(text);
  if (!pattern) return std::unexpected(std::move(pattern.error()));
  target = std::move(*pattern);
  return {};
}

ValueResult keep_scale(std::optional<double>& target, std::string_view text) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size() || !(value >= 1e-6 && value <= 1e6))
    return std::unexpected(
        fmt::format("'{}' is not a factor such as 0.01 or 2", mqtt::escape_for_terminal(text)));
  target = value;
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
  o.choice("--wiring", typed.wiring,
           {{"pairs", Wiring::pairs}, {"all", Wiring::all}, {"shared", Wiring::shared}})
      .metavar("HOW")
      .group(group)
      .text(
          "who gets whose messages: each subscriber those of its number, every subscriber all, or all of "
          "them "
          "together each message once by $share (default: the preset's)");
  o.number("--slow", typed.slow, {.max = clients_max})
      .metavar("N")
      .group(group)
      .text("subscribers that stop reading for the second half of the run (default: the preset's)");
  o.parsed("-q,--qos", [&typed](std::string_view text) { return keep_qos(typed.qos, text); })
      .metavar("P[:S]")
      .group(group)
      .text("QoS of messages, and of subscriptions if it is another")
      .example("--qos 1:0");
  o.parsed("--topics", [&typed](std::string_view text) { return keep_pattern(typed.topics, text); })
      .metavar("PATTERN")
      .group(group)
      .text(
          "topic names; {run} is the run's id, {t} a topic's number, and {t:N} says that there are N of them "
          "(default: mqbench/{run}/{t}, and as many as publishers or subscribers)")
      .example("--topics 'plant/{t:500}/temp'");
  o.parsed("--size", [&typed](std::string_view text) { return keep_pattern(typed.size, text); })
      .metavar("BYTES|DIST")
      .group(group)
      .text(
          "bytes of a payload: 100, 64..1024 (evenly between), normal:500:100 (mean and deviation), "
          "choice:100*9,10000*1 (by weight); 32 of them are the stamp: without it there are no latencies, "
          "and "
          "losses are only counted")
      .example("--size 64..1024");
  o.parsed("--payload", [&typed](std::string_view text) { return keep_pattern(typed.payload, text); })
      .metavar("@FILE|TEMPLATE")
      .group(group)
      .text(
          "what follows the stamp of 32 bytes: a file, or text with {seq}, {time}, {uuid} and {random:A..B} "
          "as "
          "mqpub's --payload-template has them")
      .excludes({"--size"})
      .example("--payload '{\"n\":{seq},\"t\":{random:15.0..25.0}}'");
  o.flag("--topic-alias", typed.topic_alias)
      .group(group)
      .text("MQTT 5: send a topic once and then its alias, as far as the broker's Topic Alias Maximum goes");
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
      .text("new connections per second (default: 1000)")
      .example("--ramp 5000/s");
  o.parsed("--scale", [&typed](std::string_view text) { return keep_scale(typed.scale, text); })
      .metavar("F")
      .group(group)
      .text("multiply the scenario's clients and rates, before other options say theirs")
      .example("--scale 0.01");
}

void declare_extent(Options& o, BenchConfig::Typed& typed) {
  constexpr std::string_view group = "Extent";
  o.duration("--warmup", typed.warmup)
      .metavar("DURATION")
      .group(group)
      .text("messages of this first time count for nothing but losses (default: 1s)");
  o.duration("--duration", typed.duration)
      .metavar("DURATION")
      .group(group)
      .must(some_time)
      .text("how long to measure (default: 10s)");
  o.number("--count", typed.count, {.min = 1})
      .metavar("N")
      .group(group)
      .text("publish N messages in all, and measure each of them")
      .excludes({"--duration", "--warmup"});
  o.duration("--drain", typed.drain)
      .metavar("DURATION")
      .group(group)
      .text(
          "at the end, wait until nothing has come for so long (default: 10s); what has not come then is "
          "lost");
  o.number("--threads", typed.threads, {.min = 1, .max = threads_max})
      .metavar("N")
      .group(group)
      .text("threads that have a part of the clients each (default: one per processor)");
  o.flag("--spin", typed.spin)
      .group(group)
      .text(
          "with --rate N/s: wait for the last 100 us before a message is due in a busy loop, which costs all "
          "of a processor, and is exact to about a microsecond");
  o.list("--source", typed.sources)
      .metavar("ADDR[-ADDR]")
      .group(group)
      .must(source_addresses)
      .text(
          "connect from this address, or these IPv4 addresses; several are used in turn, each with ports of "
          "its own")
      .example("--source 127.0.0.2-127.0.0.20")
      .excludes({"-A"});
  o.number("--seed", typed.seed)
      .metavar("N")
      .group(group)
      .text("for what is random: payloads and Poisson arrivals (default: 1)");
}

void override_load(BenchConfig& config) {
  const BenchConfig::Typed& typed = config.typed;
  Scenario& s = config.scenario;
  if (typed.scale) s.scale_by(*typed.scale);
  if (typed.publishers) s.set_publishers(*typed.publishers);
  s.subscribers = typed.subscribers.value_or(s.subscribers);
  s.wiring = typed.wiring.value_or(s.wiring);
  s.slow = typed.slow.value_or(s.slow);
  s.pattern = typed.topics.value_or(s.pattern);
  if (typed.qos) s.publish_qos = (*typed.qos)[0], s.subscribe_qos = (*typed.qos)[1];
  if (typed.size) s.size = *typed.size, s.payload = {};
  s.payload = typed.payload.value_or(s.payload);
  s.topic_alias = s.topic_alias || typed.topic_alias;
  s.spin = s.spin || typed.spin;
  if (typed.window) s.window = typed.window, s.rate = 0;
  s.rate = typed.rate.value_or(s.rate);
  if (!s.open_loop()) s.arrival = Arrival::fixed, s.burst = 1;
  if (typed.arrival) s.arrival = *typed.arrival, s.burst = typed.burst;
  s.ramp = typed.ramp.value_or(s.ramp);
}

void override_extent(BenchConfig& config) {
  const BenchConfig::Typed& typed = config.typed;
  Scenario& s = config.scenario;
  if (typed.duration) s.count = 0;
  s.warmup = typed.warmup.value_or(s.warmup);
  s.duration = typed.duration.value_or(s.duration);
  s.drain = typed.drain.value_or(s.drain);
  s.threads = typed.threads.value_or(s.threads);
  s.seed = typed.seed.value_or(s.seed);
  if (!typed.sources.empty()) s.sources = expand_sources(typed.sources);
  if (typed.count) s.set_count(*typed.count);
  if (s.stored == Stored::retained && !typed.count) s.set_count(s.streams());
}

/// A name without a dot or slash is a preset's.
Fault read_base(BenchConfig& config) {
  const std::string name = config.typed.scenario.value_or("quick");
  if (const Preset* const preset = find_preset(name)) return config.scenario = preset->scenario, std::nullopt;
  if (name.find_first_of("./") != std::string::npos) {
    auto scenario = read_scenario(name);
    if (!scenario) return std::move(scenario.error());
    return config.scenario = std::move(*scenario), std::nullopt;
  }
  const std::string_view near = nearest_preset(name);
  if (near.empty())
    return fmt::format("there is no preset {}: mqbench list shows those that there are", in_quotes(name));
  return fmt::format("there is no preset {}; did you mean {}?", in_quotes(name), near);
}

}  // namespace

void declare_load_options(Options& options, BenchConfig& config) {
  declare_load(options, config.typed);
  declare_broker_options(options, config.typed);
  declare_extent(options, config.typed);
}

std::optional<std::string> choose_scenario(const Options& options, BenchConfig& config) {
  if (auto fault = read_base(config)) return fault;
  override_load(config);
  override_extent(config);
  override_brokers(options, config);
  if (auto fault = override_properties(config)) return fault;
  const Scenario& s = config.scenario;
  ConnectionConfig& connection = config.connection;
  if (s.topic_alias && connection.version.value_or(mqtt::Version::v5) != mqtt::Version::v5)
    return fmt::format("Topic Aliases need MQTT 5, but option '-V' asks for {}",
                       to_string(*connection.version));
  connection.needs_v5 = connection.needs_v5 || s.topic_alias;
  if (config.typed.window && s.publish_qos == mqtt::QoS::at_most_once)
    return "option '--window': at QoS 0 nothing is in flight; use --rate max";
  if (config.typed.arrival && !s.open_loop()) return "option '--arrival' needs a schedule: --rate N/s";
  if (config.typed.spin && !s.open_loop()) return "option '--spin' needs a schedule: --rate N/s";
  return find_fault(s);
}

}  // namespace mq::bench
