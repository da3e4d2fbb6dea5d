#include "mqsub/options.hpp"

#include <fmt/format.h>

#include <mqtt/codec/topic.hpp>

namespace mq {
namespace {

using mqtt::PropertyPlace;

void declare_subscription_options(Options& o, SubConfig& config) {
  o.list("-t,--topic", config.filters)
      .metavar("FILTER")
      .group("Subscription")
      .text("subscribe to this topic filter; may be given many times")
      .example("-t 'home/+/temperature'");
  o.choice("-q,--qos", config.subscription.qos,
           {{"0", mqtt::QoS::at_most_once}, {"1", mqtt::QoS::at_least_once}, {"2", mqtt::QoS::exactly_once}})
      .metavar("QOS")
      .group("Subscription")
      .text("the highest quality of service at which messages are delivered");
  o.flag("-R", config.skip_retained)
      .group("Subscription")
      .text("leave out messages that the server had retained before");
  o.flag("--allow-partial", config.allow_partial)
      .group("Subscription")
      .text("go on as long as one filter was granted");
}

void declare_output_options(Options& o, SubConfig& config) {
  o.flag("-v,--verbose", config.with_topic).group("Output").text("write the topic, a space and the payload");
  o.flag("-N", config.no_separator).group("Output").text("write no newline after each message");
  o.choice("--json", config.output, {{"text", SubOutput::json}, {"parse", SubOutput::json_parsed}})
      .implied("text")
      .group("Output")
      .text("write a JSON object per message; with parse, a payload that is JSON is part of it")
      .example("--json | jq .topic");
}

void declare_ending_options(Options& o, SubConfig& config) {
  o.number("-C", config.count, {.min = 1}).metavar("N").group("Ending").text("end after N messages");
  o.duration("-W", config.deadline)
      .metavar("TIME")
      .group("Ending")
      .text("end after this time, counted from the start; exit code 9 if -C was not reached");
}

std::optional<std::string> check_filters(SubConfig& config) {
  if (!config.connection.url_topic.empty()) config.filters.push_back(config.connection.url_topic);
  if (config.filters.empty()) return "there is nothing to subscribe to: use -t";
  for (const std::string& filter : config.filters)
    if (const auto fault = mqtt::find_topic_filter_error(filter))
      return fmt::format("cannot subscribe to '{}': {} [{}]", mqtt::escape_for_terminal(filter), fault->what,
                         fault->clause.v5);
  return std::nullopt;
}

}  // namespace

Program mqsub_program() {
  return {.name = "mqsub",
          .summary = "Subscribe to topics of an MQTT broker and write the messages.",
          .usage = "[OPTIONS] -t FILTER [-t FILTER]...",
          .options_files = {"mqsub", "mosquitto_sub"}};
}

void declare_sub_options(Options& o, SubConfig& config) {
  declare_subscription_options(o, config);
  declare_output_options(o, config);
  declare_ending_options(o, config);
  declare_connect_options(
      o, config.connection,
      {PropertyPlace::connect, PropertyPlace::will, PropertyPlace::subscribe, PropertyPlace::disconnect});
  declare_log_options(o, config.connection.log);
  o.rule([&config] { return check_filters(config); });
  o.example("mqsub -t 'home/#' -v", "write topic and payload of everything below home");
  o.example("mqsub -t 'sensors/+' --json | jq .payload", "a JSON object per message");
  o.example("mqsub -t alarm -C 1 -W 30s", "wait for one message, at most 30 seconds");
}

}  // namespace mq
