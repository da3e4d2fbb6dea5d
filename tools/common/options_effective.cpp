#include <fmt/format.h>

#include <algorithm>

#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/json_writer.hpp"
#include "common/options.hpp"

// --show-config: what is in effect, as a settings file.

namespace mq {
namespace {

/// The mask does not tell how long a secret is.
std::string masked(std::string_view value, const std::vector<Option::Part>& secrets) {
  std::string shown;
  std::size_t at = 0;
  for (const auto [begin, end] : secrets) {
    if (end <= at) continue;
    shown += value.substr(at, std::max(begin, at) - at);
    shown += "***";
    at = end;
  }
  return shown += value.substr(at);
}

/// A basic string of TOML, which escapes as JSON does, and U+007F besides.
std::string toml_string(std::string_view text) {
  std::string out;
  const bool readable = mqtt::is_mqtt_utf8(mqtt::as_bytes(text));
  JsonWriter{out}.string(readable ? std::string{text} : mqtt::escape_for_terminal(text));
  for (std::size_t at = 0; (at = out.find('\x7f', at)) != std::string::npos;) out.replace(at, 1, "\\u007f");
  return out;
}

/// The name as a key of a settings file.
std::string_view key_of(const OptionRecord& record) {
  const std::string_view name = record.main_name();
  return name.substr(name.find_first_not_of('-'));
}

}  // namespace

std::string Options::value_in_effect(const Occurrence& occurrence) const {
  const Option& option = *occurrence.option;
  const OptionRecord& record = option.record_;
  if (record.kind == ValueKind::none) return "true";
  const std::string value = fmt::format("{}", fmt::join(occurrence.values, " "));
  if (record.kind == ValueKind::number) return value;
  return toml_string(record.secret ? masked(value, option.secret_parts_(value)) : value);
}

std::string Options::effective() const {
  std::string out;
  for (const Option& option : options_) {
    const OptionRecord& record = option.record_;
    if (record.hidden || record.typed_only || record.positional) continue;
    std::vector<std::string> values;
    const Occurrence* last = nullptr;
    for (const Occurrence& occurrence : occurrences_) {
      if (occurrence.option != &option) continue;
      values.push_back(value_in_effect(occurrence));
      last = &occurrence;
    }
    if (last)
      out += fmt::format("{} = {}  # {}\n", key_of(record),
                         record.repeats ? fmt::format("[{}]", fmt::join(values, ", ")) : values.back(),
                         name_as_given(*last));
    else if (!record.default_text.empty())
      out += fmt::format("# {} = {}\n", key_of(record), record.default_text);
  }
  return out;
}

Option& Options::show_config(std::string_view names) { return flag(names, config_wanted_).typed_only(); }

}  // namespace mq
