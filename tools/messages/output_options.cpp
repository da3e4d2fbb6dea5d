#include "messages/output_options.hpp"

namespace mq {
namespace {

std::string separator_of(const OutputConfig& config) {
  using namespace std::string_literals;
  if (config.no_separator) return ""s;
  return config.nul_separator ? "\0"s : "\n"s;
}

}  // namespace

void declare_output_options(Options& o, OutputConfig& config) {
  constexpr std::string_view group = "Output";
  o.flag("-v,--verbose", config.with_topic).group(group).text("write the topic, a space and the payload");
  o.flag("-N", config.no_separator).group(group).text("write no newline after each message");
  o.flag("-0,--null", config.nul_separator)
      .group(group)
      .text("write a NUL instead of a newline after each message")
      .excludes({"-N", "--json"})
      .example("-0 | xargs -0 -n1 echo");
  o.choice("--json", config.form, {{"text", OutputForm::json}, {"parse", OutputForm::json_parsed}})
      .implied("text")
      .group(group)
      .text("write a JSON object per message; with parse, a payload that is JSON is part of it")
      .example("--json | jq .topic");
  o.flag("--line-buffered", config.line_buffered)
      .group(group)
      .text("write each message at once, even when more are waiting to be read");
}

MessageOutput::MessageOutput(const OutputConfig& config, PlainEscape escape)
    : config_{config},
      plain_{.content = config.with_topic ? PlainContent::topic_and_payload : PlainContent::payload,
             .escape = escape,
             .separator = separator_of(config)},
      lines_{config.form == OutputForm::json_parsed ? JsonPayload::parse : JsonPayload::text} {}

void MessageOutput::write(std::string& out, const mqtt::PublishView& message, WallTime received) {
  switch (config_.form) {
    case OutputForm::plain: return append_plain(out, message, plain_);
    case OutputForm::json:
    case OutputForm::json_parsed: return lines_.write(out, message, received);
  }
}

}  // namespace mq
