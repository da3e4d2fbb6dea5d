#include "messages/output_options.hpp"

#include <fmt/format.h>

#include "messages/json_pretty.hpp"

namespace mq {
namespace {

std::string separator_of(const OutputConfig& config) {
  using namespace std::string_literals;
  if (config.no_separator) return ""s;
  return config.nul_separator ? "\0"s : "\n"s;
}

ValueResult keep_format(std::optional<FormatString>& target, std::string_view text) {
  auto format = FormatString::compile(text);
  if (!format) return std::unexpected(std::move(format.error()));
  target = std::move(*format);
  return {};
}

/// Digits are for people and programs alike: only JSON needs the quotes around them.
std::string_view without_quotes(const Decoded& decoded) {
  const std::string_view json = decoded.json;
  const bool digits = decoded.name == "hex" || decoded.name == "base64";
  return digits ? json.substr(1, json.size() - 2) : json;
}

void declare_forms(Options& o, OutputConfig& config) {
  constexpr std::string_view group = "Output";
  o.flag("-v,--verbose", config.with_topic)
      .group(group)
      .text("write the topic, a space and the payload; the topic is in colour on a terminal (--color)");
  o.parsed("-F,--format", [&config](std::string_view value) { return keep_format(config.format, value); })
      .metavar("FORMAT")
      .group(group)
      .text(
          "write what mosquitto_sub's format says (%t topic, %p payload, %x hex, %I time, %j JSON, @Y "
          "year...); "
          "%{NAME:FILTER:WIDTH} are long names as in --json, filtered by json, sh, hex, base64, url or csv")
      .excludes({"--json", "--csv"})
      .example("-F '@H:@M:@S %-20t %{user.unit:json} %p'");
  o.choice("--json", config.typed.json, {{"text", OutputForm::json}, {"parse", OutputForm::json_parsed}})
      .implied("text")
      .group(group)
      .text("write a JSON object per message; with parse, a payload that is JSON is part of it")
      .excludes({"--csv"})
      .example("--json=parse | jq .payload.temp");
  o.flag("--csv", config.typed.csv)
      .group(group)
      .text("write a table with a line of headings: time, topic, qos, retain, len, encoding, payload");
}

}  // namespace

void declare_output_options(Options& o, OutputConfig& config) {
  constexpr std::string_view group = "Output";
  declare_forms(o, config);
  o.parsed("--decode", [&config](std::string_view value) { return config.decoding.add(value); })
      .repeats()
      .metavar("FILTER=DECODER")
      .group(group)
      .text(fmt::format(
          "payloads of these topics are {}: write what they mean, as JSON; may be given many times, "
          "the first that matches counts",
          fmt::join(decoder_names(), ", ")))
      .example("--decode 'plant/#=cbor'");
  o.flag("--pretty", config.pretty).group(group).text("write JSON (--json, %j, %J) over several lines");
  o.flag("-N", config.no_separator).group(group).text("write no newline after each message");
  o.flag("-0,--null", config.nul_separator)
      .group(group)
      .text("write a NUL instead of a newline after each message")
      .excludes({"-N", "--json", "--csv"})
      .example("-0 | xargs -0 -n1 echo");
  o.flag("--line-buffered", config.line_buffered)
      .group(group)
      .text("write each message at once, even when more are waiting to be read");
  o.rule([&config]() -> std::optional<std::string> {
    if (config.format) config.form = OutputForm::format;
    if (config.typed.json != OutputForm::plain) config.form = config.typed.json;
    if (config.typed.csv) config.form = OutputForm::csv;
    return std::nullopt;
  });
}

MessageOutput::MessageOutput(const OutputConfig& config, PlainEscape escape, OnFault on_fault)
    : config_{config},
      on_fault_{std::move(on_fault)},
      plain_{.content = config.with_topic ? PlainContent::topic_and_payload : PlainContent::payload,
             .escape = escape,
             .topic_color = config.colored ? "\x1b[36m" : "",
             .separator = separator_of(config)},
      format_{config.format},
      lines_{config.form == OutputForm::json_parsed ? JsonPayload::parse : JsonPayload::text},
      csv_{escape} {
  if (format_ && config.pretty) format_->set_pretty();
}

void MessageOutput::begin(std::string& out) const {
  if (config_.form == OutputForm::csv) out += CsvOutput::header;
}

void MessageOutput::write(std::string& out, const mqtt::PublishView& message, const Reception& received) {
  const auto decoded = config_.decoding.decode(message.topic, message.payload);
  if (decoded) return write_decoded(out, message, received, *decoded);
  if (writes_json()) return write_json(out, message, received, nullptr);
  write_plainly(out, message, received);
}

/// What cannot be decoded is written as it came: no message is lost because of its content.
void MessageOutput::write_decoded(std::string& out, mqtt::PublishView message, const Reception& received,
                                  const Decoded& decoded) {
  if (decoded.fault && on_fault_) on_fault_(decoded.name, message.topic, *decoded.fault);
  if (writes_json()) {
    DecodedPayload payload{decoded.name, decoded.json};
    if (decoded.fault) payload.error = *decoded.fault;
    return write_json(out, message, received, &payload);
  }
  if (!decoded.fault) message.payload = mqtt::as_bytes(without_quotes(decoded));
  write_plainly(out, message, received);
}

bool MessageOutput::writes_json() const {
  return config_.form == OutputForm::json || config_.form == OutputForm::json_parsed;
}

void MessageOutput::write_plainly(std::string& out, const mqtt::PublishView& message,
                                  const Reception& received) {
  switch (config_.form) {
    case OutputForm::plain: return append_plain(out, message, plain_);
    case OutputForm::format: return write_format(out, message, received);
    case OutputForm::csv: return csv_.write(out, message, received.time);
    case OutputForm::json:
    case OutputForm::json_parsed: return;  // write_json()
  }
}

void MessageOutput::write_format(std::string& out, const mqtt::PublishView& message,
                                 const Reception& received) {
  format_->append(out, message, received, plain_.escape);
  out += plain_.separator;
}

void MessageOutput::write_json(std::string& out, const mqtt::PublishView& message, const Reception& received,
                               const DecodedPayload* decoded) {
  const std::size_t start = out.size();
  lines_.write(out, message, received, decoded);
  if (!config_.pretty) return;
  out.pop_back();  // the line feed, which would be space
  make_json_pretty(out, start);
  out += '\n';
}

}  // namespace mq
