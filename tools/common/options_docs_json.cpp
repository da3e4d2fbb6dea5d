#include <string>

#include "common/json_writer.hpp"
#include "common/options_docs.hpp"

namespace mq {
namespace {

std::string_view name_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::none: return "none";
    case ValueKind::text: return "text";
    case ValueKind::number: return "number";
    case ValueKind::duration: return "duration";
    case ValueKind::size: return "size";
    case ValueKind::choice: return "choice";
    case ValueKind::tuple: return "tuple";
  }
  return "";
}

std::string_view name_of(Completion completion) {
  switch (completion) {
    case Completion::none: return "none";
    case Completion::file: return "file";
    case Completion::directory: return "directory";
    case Completion::profile: return "profile";
    case Completion::interface: return "interface";
    case Completion::variable: return "variable";
  }
  return "";
}

void write_list(JsonWriter& json, std::string_view name, const std::vector<std::string>& list) {
  json.key(name);
  json.begin_array();
  for (const std::string& each : list) json.string(each);
  json.end_array();
}

void write_record(JsonWriter& json, const OptionRecord& record) {
  json.begin_object();
  write_list(json, "names", record.names);
  json.field("kind", name_of(record.kind));
  json.field("positional", record.positional);
  json.field("repeats", record.repeats);
  json.field("hidden", record.hidden);
  json.field("typed_only", record.typed_only);
  json.field("metavar", value_name(record));
  json.field("named", !record.metavar.empty());
  json.field("group", group_of(record));
  json.field("text", std::string_view{record.text});
  json.field("default", std::string_view{record.default_text});
  json.field("implied", record.implied.has_value());
  json.field("environment", std::string_view{record.environment});
  write_list(json, "choices", record.choices);
  write_list(json, "examples", record.examples);
  write_list(json, "excludes", record.excludes);
  write_list(json, "needs", record.needs);
  write_list(json, "commands", record.commands);
  json.field("completion", name_of(record.completion));
  json.field("suggests", record.suggestions != nullptr);
  json.end_object();
}

}  // namespace

std::string json_records(const Options& options) {
  std::string out;
  JsonWriter json{out};
  json.begin_object();
  json.field("program", std::string_view{options.program().name});
  json.field("summary", std::string_view{options.program().summary});
  write_list(json, "commands", options.program().commands);
  json.key("options");
  json.begin_array();
  for (const Option& option : options.all()) write_record(json, option.record());
  json.end_array();
  json.end_object();
  return out + "\n";
}

}  // namespace mq
