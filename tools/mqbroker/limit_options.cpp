#include <fmt/format.h>

#include <limits>

#include "common/spelling.hpp"
#include "mqbroker/options.hpp"

// Options that bound what clients can do.

namespace mq {
namespace {

using mqtt::broker::Limits;
using mqtt::broker::ReceiveMaximumPolicy;
using mqtt::broker::SlowConsumer;

constexpr std::string_view announced = "Limits that clients are told";
constexpr std::string_view queues = "Queues and slow readers";
constexpr std::string_view other = "Other limits";

ValueResult keep_expiry(std::uint32_t& seconds, std::string_view value) {
  constexpr std::uint32_t never = std::numeric_limits<std::uint32_t>::max();
  if (value == "never") {
    seconds = never;
    return {};
  }
  const auto duration = mqtt::parse_duration(value);
  const auto count =
      duration ? std::chrono::floor<std::chrono::seconds>(*duration).count() : std::int64_t{-1};
  if (count < 0 || count > never || duration->count() % 1'000'000'000 != 0)
    return std::unexpected(fmt::format(
        "{} is not a whole number of seconds such as 90s, 12h or 7d, or 'never'", in_quotes(value)));
  seconds = static_cast<std::uint32_t>(count);
  return {};
}

void declare_announced(Options& o, mqtt::broker::BrokerConfig& broker) {
  Limits& limits = broker.limits;
  o.number("--receive-maximum", limits.receive_maximum, {.min = 1})
      .group(announced)
      .text("messages of a client that may wait for their acknowledgement");
  o.choice("--receive-maximum-policy", broker.receive_maximum_policy,
           {{"strict", ReceiveMaximumPolicy::strict}, {"tolerant", ReceiveMaximumPolicy::tolerant}})
      .group(announced)
      .text("strict: a client that exceeds it is disconnected (0x93); tolerant: its messages are taken");
  constexpr NumberRange packet_size{.min = 128, .max = mqtt::packet_size_max};
  o.size("--max-packet-size", limits.packet_size, packet_size)
      .group(announced)
      .text("the largest packet that a client may send");
  o.number("--topic-alias-maximum", limits.topic_alias_maximum)
      .group(announced)
      .text("how many Topic Aliases a client may use");
  o.number("--max-keepalive", limits.keep_alive_maximum, {.min = 1})
      .metavar("SECONDS")
      .group(announced)
      .text("the longest Keep Alive of an MQTT 5 client; less than 65535 forbids to turn it off");
  o.choice("--max-qos", limits.maximum_qos,
           {{"0", mqtt::QoS::at_most_once}, {"1", mqtt::QoS::at_least_once}, {"2", mqtt::QoS::exactly_once}})
      .group(announced)
      .text("the highest quality of service for publishing");
  o.parsed("--max-session-expiry",
           [&limits](std::string_view value) { return keep_expiry(limits.session_expiry_maximum, value); })
      .kind(ValueKind::duration)
      .metavar("DURATION")
      .group(announced)
      .default_text("7d")
      .text("how long the session of an absent client is kept at most, or 'never' to give it up");
}

void declare_features(Options& o, mqtt::broker::BrokerConfig& broker) {
  o.negation("--no-retain", broker.retain_available).group(announced).text("no retained messages");
  o.negation("--no-wildcard", broker.wildcard_available).group(announced).text("no wildcard subscriptions");
  o.negation("--no-shared", broker.shared_available).group(announced).text("no shared subscriptions");
}

void declare_queues(Options& o, mqtt::broker::BrokerConfig& broker) {
  Limits& limits = broker.limits;
  o.number("--max-inflight", limits.in_flight, {.min = 1})
      .group(queues)
      .text("messages to a client that wait for its acknowledgement");
  o.number("--max-queued-messages", limits.queued_messages, {.min = 1})
      .group(queues)
      .text("messages that wait for one client");
  o.size("--max-queued-bytes", limits.queued_bytes, {.min = 1024})
      .group(queues)
      .text("bytes of the messages that wait for one client");
  o.size("--max-memory", limits.memory, {.min = 1024})
      .group(queues)
      .text(
          "bytes of all clients together: messages that wait, are in flight, are being written or are Wills "
          "(each counts once, whoever is to get it), and packets half received; not retained messages");
  o.size("--write-backlog", limits.write_backlog, {.min = 1024, .max = 1U << 30})
      .group(queues)
      .text("bytes given to a client's connection before messages wait in its queue");
  o.choice("--slow-consumer", broker.slow_consumer,
           {{"drop", SlowConsumer::drop},
            {"stall", SlowConsumer::stall},
            {"disconnect", SlowConsumer::disconnect}})
      .metavar("WHAT")
      .group(queues)
      .text(
          "when a client's queue is full: drop QoS 0, and for QoS 1 and 2 let publishers wait while it "
          "reads; "
          "stall: let all publishers wait; disconnect: as drop, but cut off who stopped reading");
  o.duration("--slow-consumer-grace", broker.slow_consumer_grace)
      .group(queues)
      .text("after so long without reading, a client with a full queue has stopped");
  o.duration("--return-grace", broker.return_grace)
      .group(queues)
      .text(
          "after a restart with --db: how long publishers wait for readers that were connected before and "
          "have "
          "not come back, once their queues are half full")
      .needs({"--db"});
}

void declare_others(Options& o, BrokerSettings& settings) {
  Limits& limits = settings.broker.limits;
  o.choice("--refused-publish", settings.broker.disconnect_refused_publisher,
           {{"drop", false}, {"disconnect", true}})
      .metavar("WHAT")
      .group(other)
      .text(
          "a message that a 3.1.1 or 3.1 client may not publish, for which these versions have no code: drop "
          "it, acknowledged, or disconnect the client");
  o.number("--max-connections", settings.connections_max)
      .group(other)
      .default_text("as many as there are descriptors for")
      .text("connections at once; in a [[listener]]: through it");
  o.number("--max-sessions", limits.sessions, {.min = 1})
      .group(other)
      .text("clients that are connected or kept");
  o.duration("--connect-timeout", limits.connect_timeout)
      .group(other)
      .text("how long a connection may take to say CONNECT");
  o.size("--max-connect-packet-size", limits.connect_packet_size, {.min = 128, .max = mqtt::packet_size_max})
      .group(other)
      .text("the largest CONNECT packet");
  o.number("--max-retained", limits.retained_messages).group(other).text("retained messages");
  o.size("--max-retained-bytes", limits.retained_bytes)
      .group(other)
      .text("bytes of retained messages and of the levels of their topics");
  o.number("--max-subscriptions", limits.subscriptions_per_client, {.min = 1})
      .group(other)
      .text("subscriptions of one client; filters of many levels count for more");
  o.number("--max-subscriptions-total", limits.subscriptions, {.min = 1})
      .group(other)
      .text("subscriptions of all clients together");
  o.number("--max-topic-levels", limits.topic_levels, {.min = 1})
      .group(other)
      .text("levels of a topic or filter");
  o.number("--max-topic-length", limits.topic_length, {.min = 1, .max = mqtt::field_size_max})
      .group(other)
      .text("bytes of a topic or filter");
}

std::optional<std::string> check_limits(const Limits& limits) {
  if (limits.connect_timeout.count() == 0) return "a connect timeout of 0 lets nobody in";
  return std::nullopt;
}

}  // namespace

void declare_limit_options(Options& options, BrokerSettings& settings) {
  declare_announced(options, settings.broker);
  declare_features(options, settings.broker);
  declare_queues(options, settings.broker);
  declare_others(options, settings);
  options.rule([&settings] { return check_limits(settings.broker.limits); });
}

}  // namespace mq
