#include "mqpub/options.hpp"

#include <fmt/format.h>

#include <mqtt/codec/topic.hpp>

namespace mq {
namespace {

using mqtt::PropertyPlace;

/// A streaming publisher outlives a broker's restart, but not its end: about a minute of attempts.
constexpr std::uint32_t streaming_retry_max = 10;

/// So that the product with the number of files stays in its type.
constexpr std::uint64_t repeat_max = 1'000'000'000'000;

void declare_payload_options(Options& o, PubConfig& config, PubTyped& typed) {
  o.text("-m,--message", typed.message).metavar("TEXT").group("Message").text("the payload").example("-m on");
  o.list("-f,--file", config.files)
      .metavar("FILE")
      .group("Message")
      .text(
          "the payload is this file's content; FIFOs are read to their end, - is standard input; several are "
          "several messages");
  o.flag("-s,--stdin-file", typed.whole_input).group("Message").text("the payload is all of standard input");
  o.flag("-l,--stdin-line", typed.lines)
      .group("Message")
      .text("each line of standard input is a payload, until its end");
  o.flag("-n,--null-message", typed.empty)
      .group("Message")
      .text("the payload is empty; with -r it clears the retained message");
}

void declare_message_options(Options& o, PubConfig& config, PubTyped& typed) {
  o.text("-t,--topic", typed.topic)
      .metavar("TOPIC")
      .group("Message")
      .text("the topic to publish to")
      .example("-t home/lamp");
  declare_payload_options(o, config, typed);
  o.choice("-q,--qos", config.qos,
           {{"0", mqtt::QoS::at_most_once}, {"1", mqtt::QoS::at_least_once}, {"2", mqtt::QoS::exactly_once}})
      .metavar("QOS")
      .group("Message")
      .text("quality of service: 0 at most once, 1 at least once, 2 exactly once");
  o.flag("-r,--retain", config.retain)
      .group("Message")
      .text("the server keeps the message for later subscribers");
  o.number("--repeat", config.repeat, {.min = 1, .max = repeat_max})
      .metavar("N")
      .group("Message")
      .text("publish the message N times (-m, -f, -s, -n)");
  o.duration("--repeat-delay", config.repeat_delay)
      .metavar("TIME")
      .group("Message")
      .text("time between repetitions");
  o.flag("--confirm", config.confirm)
      .group("Message")
      .text("at QoS 0, wait until the server has read everything (a ping round trip)");
  o.duration("-W,--timeout", config.deadline)
      .metavar("TIME")
      .group("Message")
      .text("give up after this time, counted from the start");
}

std::optional<std::string> choose_source(const Options& o, PubConfig& config, PubTyped& typed) {
  const int given =
      typed.message.has_value() + !config.files.empty() + typed.whole_input + typed.lines + typed.empty;
  if (given == 0) return "there is no payload: use one of -m, -f, -s, -l or -n";
  if (given > 1) return "only one of -m, -f, -s, -l and -n can be used";
  if (typed.message) config.source = PayloadSource::message, config.message = std::move(*typed.message);
  if (!config.files.empty()) config.source = PayloadSource::file;
  if (typed.whole_input) config.source = PayloadSource::whole_input;
  if (typed.lines) config.source = PayloadSource::lines;
  if (typed.empty) config.source = PayloadSource::empty;
  if (typed.lines && o.given("--repeat")) return "--repeat does not go with -l";
  return std::nullopt;
}

std::optional<std::string> choose_topic(PubConfig& config, PubTyped& typed) {
  if (typed.topic && !config.connection.url_topic.empty())
    return "the topic is given twice: by -t and in the URL";
  config.topic = typed.topic ? std::move(*typed.topic) : config.connection.url_topic;
  const bool by_alias =
      config.topic.empty() &&
      config.connection.properties.at(PropertyPlace::publish).view().find(mqtt::PropertyId::topic_alias);
  if (config.topic.empty() && !by_alias) return "there is no topic: use -t";
  if (by_alias) return std::nullopt;
  const auto fault = mqtt::find_topic_name_error(config.topic);
  if (!fault) return std::nullopt;
  return fmt::format("cannot publish to '{}': {} [{}]", mqtt::escape_for_terminal(config.topic), fault->what,
                     fault->clause.v5);
}

}  // namespace

Program mqpub_program() {
  return {.name = "mqpub",
          .summary = "Publish messages to an MQTT broker.",
          .usage = "[OPTIONS] -t TOPIC (-m TEXT | -f FILE | -s | -l | -n)",
          .options_files = {"mqpub", "mosquitto_pub"}};
}

void declare_pub_options(Options& o, PubConfig& config, PubTyped& typed) {
  declare_message_options(o, config, typed);
  declare_connect_options(
      o, config.connection,
      {PropertyPlace::connect, PropertyPlace::will, PropertyPlace::publish, PropertyPlace::disconnect});
  declare_log_options(o, config.connection.log);
  o.rule([&o, &config, &typed] { return choose_source(o, config, typed); });
  o.rule([&config, &typed] { return choose_topic(config, typed); });
  o.rule([&o, &config]() -> std::optional<std::string> {
    mqtt::ReconnectPolicy& reconnect = config.connection.reconnect;
    if (config.source != PayloadSource::lines || config.qos == mqtt::QoS::at_most_once || reconnect.enabled)
      return std::nullopt;
    reconnect.enabled = true;
    reconnect.first_too = false;
    if (!o.given("--retry-max")) reconnect.retry_max = streaming_retry_max;
    return std::nullopt;
  });
  o.example("mqpub -t home/lamp -m on", "publish one message to the broker on this machine");
  o.example("mqpub -L mqtts://user@broker.lan -t sensors/1 -q 1 -m 21.5 --password-file pw",
            "over TLS, acknowledged by the broker");
  o.example("tail -F app.log | mqpub -t logs/app -q 1 -l",
            "each line is a message; survives a restart of the broker");
}

}  // namespace mq
