#include "mqpub/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <mqtt/codec/topic.hpp>

#include "common/speed.hpp"
#include "common/spelling.hpp"
#include "common/value_checks.hpp"

namespace mq {
namespace {

using mqtt::PropertyPlace;

/// A streaming publisher outlives a broker's restart, but not its end: about a minute of attempts.
constexpr std::uint32_t streaming_retry_max = 10;

/// So that the product with the number of files stays in its type.
constexpr std::uint64_t repeat_max = 1'000'000'000'000;

/// A NUL, or what a backslash makes of the letters behind it: \\n \\r \\t \\0 \\\\ \\xHH.
std::optional<std::string> unescaped(std::string_view text) {
  std::string made;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      made.push_back(text[at]);
      continue;
    }
    if (++at == text.size()) return std::nullopt;
    constexpr std::string_view letters = "nrt0\\";
    constexpr std::string_view meanings{"\n\r\t\0\\", 5};
    if (const auto letter = letters.find(text[at]); letter != std::string_view::npos) {
      made.push_back(meanings[letter]);
      continue;
    }
    constexpr std::size_t digits = 2;
    unsigned byte = 0;
    const char* const first = text.data() + at + 1;
    if (text[at] != 'x' || text.size() - at <= digits) return std::nullopt;
    if (std::from_chars(first, first + digits, byte, 16).ptr != first + digits) return std::nullopt;
    made.push_back(static_cast<char>(byte));
    at += digits;
  }
  return made;
}

/// "10", "10/s", "0.5/s", "100/m", "6/h": the time from one message to the next.
std::optional<mqtt::Duration> parse_rate(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::string_view unit = text.substr(slash);
  double seconds = 0;
  if (unit.empty() || unit == "/s") seconds = 1;
  if (unit == "/m") seconds = 60;
  if (unit == "/h") seconds = 3600;
  double count = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + slash, count, std::chars_format::fixed);
  if (seconds == 0 || fault != std::errc{} || end != text.data() + slash) return std::nullopt;
  const double interval = seconds / count * 1e9;
  constexpr double longest = 1e9 * 86'400 * 365;
  if (!(interval >= 1 && interval <= longest)) return std::nullopt;
  return mqtt::Duration{static_cast<mqtt::Duration::rep>(interval)};
}

void declare_payload_options(Options& o, PubConfig& config, PubTyped& typed) {
  o.text("-m,--message", typed.message).metavar("TEXT").group("Message").text("the payload").example("-m on");
  o.list("-f,--file", config.inputs)
      .file()
      .group("Message")
      .must(not_empty)
      .text(
          "the payload is this file's content; FIFOs are read to their end, - is standard input; several are "
          "several messages");
  o.text("--dir", config.directory)
      .directory()
      .group("Message")
      .must(not_empty)
      .text("as -f with every regular file of this directory, by name")
      .excludes({"-f"});
  o.flag("-s,--stdin-file", typed.whole_input).group("Message").text("the payload is all of standard input");
  o.flag("-n,--null-message", typed.empty)
      .group("Message")
      .text("the payload is empty; with -r it clears the retained message");
}

void declare_stream_options(Options& o, PubConfig& config, PubTyped& typed) {
  o.flag("-l,--stdin-line", typed.lines)
      .group("Streams")
      .text("each line of standard input (or of -f, --dir) is a payload, until its end");
  o.flag("-0,--nul", typed.nul_separated)
      .group("Streams")
      .text("each record is a payload; a NUL byte ends it");
  o.text("--delimiter", typed.delimiter)
      .metavar("TEXT")
      .group("Streams")
      .text("each record is a payload; TEXT ends it (\\n \\r \\t \\0 \\xHH \\\\ are understood)")
      .example("--delimiter '\\r\\n'");
  o.flag("--length-prefix", typed.length_prefix)
      .group("Streams")
      .text("each record is a payload, with its length before it: four bytes, the highest first");
  o.flag("--json", config.json)
      .group("Streams")
      .text(
          "each line is a message as mqsub --json writes it: topic, payload, qos, retain, properties; -t, -q "
          "and "
          "-r are for lines without their own. A line that is no message is reported, counted as rejected "
          "and "
          "left out");
  o.parsed(
       "--rate",
       [&config](std::string_view text) -> ValueResult {
         const auto interval = parse_rate(text);
         if (!interval)
           return std::unexpected(fmt::format("'{}' is not a rate such as 10/s, 0.5/s, 100/m or 6/h", text));
         config.interval = *interval;
         return {};
       })
      .metavar("N/s")
      .group("Streams")
      .text("no more messages than that: per second, /m minute or /h hour")
      .example("--rate 100/s");
  o.text("--spool", config.spool)
      .file()
      .group("Streams")
      .must(not_empty)
      .text(
          "keep what is in flight in FILE, so that a killed mqpub that is started again with it sends that "
          "first "
          "(at QoS 2 exactly once). A message counts as taken once it is in FILE. Without -i the client id "
          "is kept "
          "in FILE, too");
  o.flag("--spool-resume", config.spool_resume)
      .group("Streams")
      .text("the input is the one of the killed run: leave out the records that it has taken")
      .needs({"--spool"});
  o.choice("--summary", config.summary, {{"text", LogFormat::text}, {"json", LogFormat::json}})
      .metavar("FORMAT")
      .group("Streams")
      .text("write sent, acked, rejected and unacked to standard error at the end, also when all went well");
}

ValueResult keep_template(std::optional<Template>& target, std::string_view text) {
  auto made = Template::parse(text);
  if (!made) return std::unexpected(std::move(made.error()));
  target = std::move(*made);
  return {};
}

ValueResult keep_speed(std::optional<double>& target, std::string_view text) {
  const auto speed = parse_speed(text);
  if (!speed) return std::unexpected(speed.error());
  target = *speed;
  return {};
}

void declare_making_options(Options& o, PubConfig& config) {
  o.parsed("--topic-template",
           [&config](std::string_view text) { return keep_template(config.topic_template, text); })
      .metavar("TEXT")
      .group("Streams")
      .text("the topic of each message, made as --payload-template makes payloads")
      .excludes({"-t", "--json"})
      .example("--topic-template 'sensors/{random:1..9}'");
  o.parsed("--payload-template",
           [&config](std::string_view text) { return keep_template(config.payload_template, text); })
      .metavar("TEXT")
      .group("Streams")
      .text(
          "the payload of each message, with {seq} {seq:FIRST} counters, {line} (what was read), {time} "
          "{time:s} "
          "{time:ms} {time:us} {time:ns}, {uuid} and {random:A..B}; {{ is a brace")
      .excludes({"--json"})
      .example("--payload-template '{\"n\":{seq},\"t\":{random:15.0..25.0}}'");
}

void declare_replay_options(Options& o, PubConfig& config, PubTyped& typed) {
  o.text("--replay", typed.replay)
      .file()
      .group("Streams")
      .must(not_empty)
      .text("publish a recording of mqsub --json in its own time; otherwise as --json -f FILE")
      .excludes({"-f", "--dir", "--json"});
  o.parsed("--speed", [&config](std::string_view text) { return keep_speed(config.replay_speed, text); })
      .metavar("X|max")
      .group("Streams")
      .text("replay so many times as fast (default: 1)")
      .example("--speed 10")
      .needs({"--replay"});
  o.number("--loop", config.rounds, {.max = repeat_max})
      .metavar("N")
      .implied("0")
      .default_text("")
      .group("Streams")
      .text("replay N times, or without =N for ever")
      .needs({"--replay"});
  o.tuple("--rewrite", config.rewrites)
      .metavar("FROM TO")
      .group("Streams")
      .text(
          "publish what was recorded at FROM and below it at TO; '' for FROM is every topic; the first that "
          "fits")
      .example("--rewrite site1 test/site1");
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
      .metavar("DURATION")
      .group("Message")
      .text("time between repetitions");
  o.flag("--confirm", config.confirm)
      .group("Message")
      .text("at QoS 0, wait until the server has read everything (a ping round trip)");
  o.duration("-W,--timeout", config.deadline)
      .metavar("DURATION")
      .group("Message")
      .must(some_time)
      .text("give up after this time, counted from the start");
  declare_stream_options(o, config, typed);
  declare_making_options(o, config);
  declare_replay_options(o, config, typed);
}

/// How the inputs are cut; the sentence if two ways were given.
std::optional<std::string> choose_framing(PubConfig& config, PubTyped& typed) {
  const int given =
      typed.lines + typed.nul_separated + typed.delimiter.has_value() + typed.length_prefix + config.json;
  if (given > 1) return "only one of -l, -0, --delimiter, --length-prefix and --json can be used";
  if (given == 0) return std::nullopt;
  config.framing = typed.length_prefix ? Framing::length_prefix : Framing::separator;
  if (typed.nul_separated) config.separator = std::string(1, '\0');
  if (!typed.delimiter) return std::nullopt;
  auto separator = unescaped(*typed.delimiter);
  if (!separator || separator->empty())
    return fmt::format("option '--delimiter': '{}' separates nothing",
                       mqtt::escape_for_terminal(*typed.delimiter));
  config.separator = std::move(*separator);
  return std::nullopt;
}

std::optional<std::string> choose_replay(PubConfig& config, PubTyped& typed) {
  if (!config.rewrites.empty() && !config.json && !typed.replay)
    return "--rewrite is for --json and --replay";
  if (!typed.replay) return std::nullopt;
  if (*typed.replay == "-" && config.rounds != 1) return "--loop cannot read standard input again";
  config.json = true;
  config.inputs = {std::move(*typed.replay)};
  if (!config.replay_speed) config.replay_speed = 1;
  return std::nullopt;
}

std::optional<std::string> choose_source(const Options& o, PubConfig& config, PubTyped& typed) {
  if (auto fault = choose_replay(config, typed)) return fault;
  if (auto fault = choose_framing(config, typed)) return fault;
  const bool streams = config.framing != Framing::whole;
  const bool files = !config.inputs.empty() || !config.directory.empty();
  int given = typed.message.has_value() + typed.empty + typed.whole_input + (files || streams);
  if (given == 0 && config.payload_template) given = typed.empty = true;
  if (given == 0) return "there is no payload: use one of -m, -f, -s, -l or -n (or --help)";
  if (given > 1) return "only one of -m, -f, -s, -l and -n can be used";
  if (streams && o.given("--repeat")) return "--repeat does not go with a stream of messages";
  if (typed.message) config.message = std::move(*typed.message);
  if (typed.message || typed.empty) return std::nullopt;
  config.source = PayloadSource::inputs;
  if (!files) config.inputs = {"-"};
  return std::nullopt;
}

std::optional<std::string> choose_topic(PubConfig& config, PubTyped& typed) {
  if (typed.topic && !config.connection.url_topic.empty())
    return "the topic is given twice: by -t and in the URL";
  config.topic = typed.topic ? std::move(*typed.topic) : config.connection.url_topic;
  const bool by_alias =
      config.topic.empty() &&
      config.connection.properties.at(PropertyPlace::publish).view().find(mqtt::PropertyId::topic_alias);
  if (config.topic_template && !config.topic.empty())
    return "the topic is given twice: by --topic-template and in the URL";
  if (config.topic.empty() && (config.json || config.topic_template)) return std::nullopt;
  if (config.topic.empty() && !by_alias) return "there is no topic: use -t";
  if (by_alias) return std::nullopt;
  const auto fault = mqtt::find_topic_name_error(config.topic);
  if (!fault) return std::nullopt;
  return fmt::format("cannot publish to {}: {} [{}]", in_quotes(config.topic), fault->what, fault->clause.v5);
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
    if (!config.streams() || !config.acknowledged() || reconnect.enabled) return std::nullopt;
    reconnect.enabled = true;
    reconnect.first_too = false;
    if (!o.given("--retry-max")) reconnect.retry_max = streaming_retry_max;
    return std::nullopt;
  });
  o.rule([&o, &config]() -> std::optional<std::string> {
    const ConnectionConfig& connection = config.connection;
    if (!o.given("--spool")) return std::nullopt;
    if (!config.acknowledged()) return "--spool is for messages that are acknowledged: use -q 1 or -q 2";
    const bool exactly_once = config.json || config.qos == mqtt::QoS::exactly_once;
    if (exactly_once && connection.client_id && !connection.persistent)
      return "--spool at QoS 2 with -i needs -c: only a session that is kept tells what has arrived";
    if (config.spool_resume && !config.streams()) return "--spool-resume is for streams such as -l";
    if (connection.properties.at(PropertyPlace::publish).view().find(mqtt::PropertyId::topic_alias))
      return "--spool does not go with a Topic Alias, which ends with its connection";
    return std::nullopt;
  });
  o.example("mqpub -t home/lamp -m on", "publish one message to the broker on this machine");
  o.example("mqpub -L mqtts://user@broker.lan -t sensors/1 -q 1 -m 21.5 --password-file pw",
            "over TLS, acknowledged by the broker");
  o.example("tail -F app.log | mqpub -t logs/app -q 1 -l",
            "each line is a message; survives a restart of the broker");
  o.example("mqsub -h a -t '#' --json | mqpub -h b --json",
            "a bridge: every message of one broker to another");
}

}  // namespace mq
