#include "mqreq/options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <mqtt/codec/topic.hpp>
#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "common/value_checks.hpp"

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PropertyPlace;
using Fault = std::optional<std::string>;

void declare_request_options(Options& o, ReqConfig& config) {
  constexpr std::string_view group = "Request";
  o.text("-t,--topic", config.typed.topic)
      .metavar("TOPIC")
      .group(group)
      .text("the topic that the request is published to")
      .example("-t rpc/time");
  o.text("-m,--message", config.typed.message).metavar("TEXT").group(group).text("the payload");
  o.text("-f,--file", config.file)
      .file()
      .group(group)
      .must(not_empty)
      .text("the payload is this file's content; a FIFO is read to its end, - is standard input");
  o.flag("-s,--stdin-file", config.typed.whole_input)
      .group(group)
      .text("the payload is all of standard input");
  o.flag("-n,--null-message", config.typed.empty).group(group).text("the payload is empty");
  o.choice("-q,--qos", config.qos,
           {{"0", mqtt::QoS::at_most_once}, {"1", mqtt::QoS::at_least_once}, {"2", mqtt::QoS::exactly_once}})
      .metavar("QOS")
      .group(group)
      .text("quality of service of the request, and the highest of replies");
}

void declare_reply_options(Options& o, ReqConfig& config) {
  constexpr std::string_view group = "Replies";
  o.text("-e,--response-topic", config.typed.response_topic)
      .metavar("TOPIC")
      .group(group)
      .text(
          "the topic that replies come on. Default, with MQTT 5: a random one below the server's response "
          "information, or mq/reply/CLIENT_ID/RANDOM. Before MQTT 5 it must be given, and the first message "
          "on it is the reply; with MQTT 5 a reply has the request's Correlation Data");
  o.number("--replies", config.replies, {.min = 1})
      .metavar("N")
      .group(group)
      .text("wait for N replies, as from several responders");
  o.duration("-W,--timeout", config.deadline)
      .metavar("DURATION")
      .group(group)
      .text("give up after this time, counted from the start; 0: never; exit code 9")
      .default_text("10s from the connection on");
  o.flag("--retain-as-published", config.retain_as_published)
      .group(group)
      .text("the retain flag of a reply is as its publisher set it (MQTT 5)");
  o.ignored_flag("-R").group(group).text("leave out retained messages, which is always done");
}

Fault choose_payload(ReqConfig& config) {
  ReqConfig::Typed& typed = config.typed;
  const int given = typed.message.has_value() + config.file.has_value() + typed.whole_input + typed.empty;
  if (given == 0) return "there is no payload: use one of -m, -f, -s or -n (or --help)";
  if (given > 1) return "only one of -m, -f, -s and -n can be used";
  if (typed.message) config.message = std::move(*typed.message);
  if (typed.whole_input) config.file = "-";
  return std::nullopt;
}

Fault topic_fault(std::string_view verb, std::string_view topic) {
  const auto fault = mqtt::find_topic_name_error(topic);
  if (!fault) return std::nullopt;
  return fmt::format("cannot {} {}: {} [{}]", verb, in_quotes(topic), fault->what, fault->clause.v5);
}

Fault choose_topic(ReqConfig& config) {
  const std::string& of_url = config.connection.url_topic;
  if (config.typed.topic && !of_url.empty()) return "the topic is given twice: by -t and in the URL";
  config.topic = config.typed.topic ? std::move(*config.typed.topic) : of_url;
  if (config.topic.empty()) return "there is no topic: use -t";
  return topic_fault("publish to", config.topic);
}

/// Either -e or -D says it; the property is added with the request.
Fault choose_response_topic(ReqConfig& config) {
  mqtt::Properties& properties = config.connection.properties.at(PropertyPlace::publish);
  const auto property = properties.view().text(PropertyId::response_topic);
  if (property && config.typed.response_topic)
    return "the Response Topic is given twice: by -e and -D publish";
  if (config.typed.response_topic)
    config.response_topic = std::move(*config.typed.response_topic);
  else if (property)
    config.response_topic = *property;
  else
    return std::nullopt;
  properties.remove(PropertyId::response_topic);
  if (mqtt::split_shared(config.response_topic).share_name.empty())
    return topic_fault("wait for replies on", config.response_topic);
  return fmt::format("cannot wait for replies on {}: others would get them, too",
                     in_quotes(config.response_topic));
}

/// Without a response topic the request itself must say where replies go, which only MQTT 5 can.
Fault check_version(ReqConfig& config) {
  ConnectionConfig& connection = config.connection;
  const bool v5 = connection.version.value_or(mqtt::Version::v5) == mqtt::Version::v5;
  if (!v5 && config.retain_as_published) return "--retain-as-published needs MQTT 5";
  if (!v5 && config.response_topic.empty()) return "there is no Response Topic: use -e (or -V 5)";
  if (config.response_topic.empty() || config.retain_as_published) connection.needs_v5 = true;
  return std::nullopt;
}

}  // namespace

Program mqreq_program() {
  return {.name = "mqreq",
          .summary = "Send a request over an MQTT broker and write the replies.",
          .usage = "[OPTIONS] -t TOPIC [-e RESPONSE_TOPIC] (-m TEXT | -f FILE | -s | -n)",
          .options_files = {"mqreq", "mosquitto_rr"}};
}

void declare_req_options(Options& o, ReqConfig& config) {
  declare_request_options(o, config);
  declare_reply_options(o, config);
  declare_output_options(o, config.output);
  declare_connect_options(o, config.connection,
                          {PropertyPlace::connect, PropertyPlace::will, PropertyPlace::publish,
                           PropertyPlace::subscribe, PropertyPlace::disconnect});
  declare_log_options(o, config.connection.log);
  o.rule([&config] { return choose_payload(config); });
  o.rule([&config] { return choose_topic(config); });
  o.rule([&config] { return choose_response_topic(config); });
  o.rule([&config] { return check_version(config); });
  o.rule([&config]() -> Fault {
    config.output.colored = use_color(config.connection.log.color, STDOUT_FILENO);
    return std::nullopt;
  });
  o.example("mqreq -t rpc/time -n", "ask, and write the reply; at most 10 seconds");
  o.example("mqreq -t discover -n --replies 3 -W 2s --json | jq .latency",
            "of three responders, how long each took");
  o.example("mqreq -V 311 -t rpc/time -e rpc/time/reply -m now", "before MQTT 5: both sides know the topic");
}

}  // namespace mq
