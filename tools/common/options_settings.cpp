#include <fmt/format.h>

#include "common/options.hpp"
#include "common/options_relations.hpp"
#include "common/spelling.hpp"

// Options from a configuration file.

namespace mq {
namespace {

std::string_view kind_name(SettingKind kind) {
  switch (kind) {
    case SettingKind::boolean: return "true or false";
    case SettingKind::integer: return "a whole number";
    case SettingKind::decimal: return "a number with a fraction";
    case SettingKind::text: return "a text";
    case SettingKind::list: return "a list of texts";
    case SettingKind::table: return "a table";
    case SettingKind::other: break;
  }
  return "something else";
}

/// How an option's value is written in a file.
std::string_view wanted_by(const OptionRecord& record) {
  switch (record.kind) {
    case ValueKind::none: return "true or false";
    case ValueKind::number: return "a whole number";
    case ValueKind::duration: return R"(a text such as "10s", or a number of seconds)";
    case ValueKind::size: return R"(a text such as "64KiB", or a number of bytes)";
    case ValueKind::tuple: return "a text or a list of texts, their parts separated by spaces";
    case ValueKind::text:
    case ValueKind::choice: break;
  }
  return record.repeats ? "a text or a list of texts" : "a text";
}

bool fits(const OptionRecord& record, SettingKind kind) {
  switch (record.kind) {
    case ValueKind::none: return kind == SettingKind::boolean;
    case ValueKind::number: return kind == SettingKind::integer;
    case ValueKind::duration:
      return kind == SettingKind::text || kind == SettingKind::integer || kind == SettingKind::decimal;
    case ValueKind::size: return kind == SettingKind::text || kind == SettingKind::integer;
    case ValueKind::choice: return kind == SettingKind::text || kind == SettingKind::integer;
    case ValueKind::tuple:
    case ValueKind::text: return kind == SettingKind::text || (record.repeats && kind == SettingKind::list);
  }
  return false;
}

}  // namespace

Option& Options::settings_file(std::string_view names, std::optional<std::string>& target,
                               SettingsReader reader) {
  Option& option = text(names, target).typed_only();
  settings_sources_.push_back({&option, std::move(reader)});
  return option;
}

std::string Options::unknown_setting(const Setting& setting) const {
  std::vector<std::string> names;
  for (const Option& option : options_)
    if (!option.record().typed_only && !option.record().hidden) names.push_back(option.record().main_name());
  const std::string_view meant = closest_name("--" + setting.key, names);
  const std::string sentence = fmt::format("{}: unknown key {}", setting.where, in_quotes(setting.key));
  return meant.empty() ? sentence : fmt::format("{}; did you mean '{}'?", sentence, meant.substr(2));
}

std::optional<std::string> Options::add_setting(const Setting& setting) {
  // Some options have a letter only.
  Option* option = lookup((setting.key.size() == 1 ? "-" : "--") + setting.key);
  if (!option) return unknown_setting(setting);
  const OptionRecord& record = option->record_;
  if (record.typed_only)
    return fmt::format("{}: '{}' is for the command line only", setting.where, setting.key);
  if (!fits(record, setting.kind))
    return fmt::format("{}: '{}' needs {}, not {}", setting.where, setting.key, wanted_by(record),
                       kind_name(setting.kind));
  const bool is_flag = record.kind == ValueKind::none;
  if (is_beaten(*option, Source::settings_file) || (is_flag && setting.values.front() == "false"))
    return std::nullopt;
  if (is_flag) {
    occurrences_.push_back({option, setting.key, Source::settings_file, {}, {}, setting.where});
    return std::nullopt;
  }
  for (const std::string& value : setting.values) {
    Occurrence occurrence{option, setting.key, Source::settings_file, {}, {}, setting.where};
    if (auto sentence = take_values(occurrence, value, option->wanted_)) return sentence;
    occurrences_.push_back(std::move(occurrence));
  }
  return std::nullopt;
}

const std::string* Options::given_value(const Option* option) const {
  const std::string* value = nullptr;
  for (const Occurrence& occurrence : occurrences_)
    if (occurrence.option == option) value = &occurrence.values.front();
  return value;
}

std::optional<std::string> Options::add_settings() {
  for (const auto& [option, reader] : settings_sources_) {
    const std::string* path = given_value(option);
    if (!path) continue;
    const auto settings = reader(*path);
    if (!settings) return settings.error();
    for (const Setting& setting : *settings)
      if (auto sentence = add_setting(setting)) return sentence;
  }
  return std::nullopt;
}

std::optional<std::string> Options::read_settings(const std::vector<Setting>& settings) {
  occurrences_.clear();
  for (const Setting& setting : settings)
    if (auto sentence = add_setting(setting)) return sentence;
  if (auto sentence = broken_relation(options_, occurrences_)) return sentence;
  if (auto sentence = keep_values()) return sentence;
  return broken_rule();
}

}  // namespace mq
