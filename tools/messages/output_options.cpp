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

void declare_forms(Options& o, OutputConfig& config) {
  constexpr std::string_view group = "Output";
  o.flag("-v,--verbose", config.with_topic).group(group).text("write the topic, a space and the payload");
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
      .example("--json | jq .topic");
  o.flag("--csv", config.typed.csv)
      .group(group)
      .text("write a table with a line of headings: time, topic, qos, retain, len, encoding, payload");
}

}  // namespace

void declare_output_options(Options& o, OutputConfig& config) {
  constexpr std::string_view group = "Output";
  declare_forms(o, config);
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

MessageOutput::MessageOutput(const OutputConfig& config, PlainEscape escape)
    : config_{config},
      plain_{.content = config.with_topic ? PlainContent::topic_and_payload : PlainContent::payload,
             .escape = escape,
             .separator = separator_of(config)},
      format_{config.format},
      lines_{config.form == OutputForm::json_parsed ? JsonPayload::parse : JsonPayload::text} {
  if (format_ && config.pretty) format_->set_pretty();
}

void MessageOutput::begin(std::string& out) const {
  if (config_.form == OutputForm::csv) out += CsvOutput::header;
}

void MessageOutput::write(std::string& out, const mqtt::PublishView& message, WallTime received) {
  switch (config_.form) {
    case OutputForm::plain: return append_plain(out, message, plain_);
    case OutputForm::format: return write_format(out, message, received);
    case OutputForm::json:
    case OutputForm::json_parsed: return write_json(out, message, received);
    case OutputForm::csv: return csv_.write(out, message, received);
  }
}

void MessageOutput::write_format(std::string& out, const mqtt::PublishView& message, WallTime received) {
  format_->append(out, message, received, plain_.escape);
  out += plain_.separator;
}

void MessageOutput::write_json(std::string& out, const mqtt::PublishView& message, WallTime received) {
  const std::size_t start = out.size();
  lines_.write(out, message, received);
  if (!config_.pretty) return;
  out.pop_back();  // the line feed, which would be space
  make_json_pretty(out, start);
  out += '\n';
}

}  // namespace mq
