#include "common/settings_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "common/stdio.hpp"

namespace mq {
namespace {

template <class T>
struct Placed {
  toml::source_position place;
  T what;
};

SettingKind kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::boolean: return SettingKind::boolean;
    case toml::node_type::integer: return SettingKind::integer;
    case toml::node_type::floating_point: return SettingKind::decimal;
    case toml::node_type::string: return SettingKind::text;
    case toml::node_type::array: return SettingKind::list;
    case toml::node_type::table: return SettingKind::table;
    default: return SettingKind::other;
  }
}

/// As an option takes it; nothing for what no option takes.
std::optional<std::string> value_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
  if (const auto* decimal = node.as_floating_point()) return fmt::format("{}", decimal->get());
  if (const auto* boolean = node.as_boolean()) return std::string{boolean->get() ? "true" : "false"};
  return std::nullopt;
}

/// In the order of the file: toml++ sorts by name.
template <class T>
std::vector<T> in_order(std::vector<Placed<T>> found) {
  std::ranges::sort(found, {}, &Placed<T>::place);
  std::vector<T> sorted;
  for (Placed<T>& item : found) sorted.push_back(std::move(item.what));
  return sorted;
}

class FileReader {
 public:
  explicit FileReader(const std::string& path) : name_{mqtt::escape_for_terminal(path)} {}

  std::expected<SettingsFile, std::string> read(const toml::table& top) {
    std::vector<Placed<Setting>> settings;
    std::vector<Placed<SettingsTable>> sections, tables;
    for (const auto& [key, node] : top) {
      const toml::array* list = node.as_array();
      const toml::table* table = node.as_table();
      if (list && !list->empty() && list->is_homogeneous(toml::node_type::table))
        for (const toml::node& element : *list) add_table(tables, key.str(), *element.as_table());
      else if (table && !table->is_inline())
        add_table(sections, key.str(), *table);
      else
        add_setting(settings, key, node);
    }
    if (fault_) return std::unexpected(std::move(*fault_));
    return SettingsFile{in_order(std::move(settings)), in_order(std::move(sections)),
                        in_order(std::move(tables))};
  }

  std::string where(const toml::source_region& source) const {
    return fmt::format("{}:{}", name_, source.begin.line);
  }

 private:
  void add_table(std::vector<Placed<SettingsTable>>& tables, std::string_view name,
                 const toml::table& table) {
    std::vector<Placed<Setting>> settings;
    for (const auto& [key, node] : table) add_setting(settings, key, node);
    tables.push_back(
        {table.source().begin, {std::string{name}, where(table.source()), in_order(std::move(settings))}});
  }

  void add_setting(std::vector<Placed<Setting>>& settings, const toml::key& key, const toml::node& node) {
    Setting setting{std::string{key.str()}, kind_of(node), {}, where(key.source())};
    if (const toml::array* list = node.as_array()) {
      for (const toml::node& element : *list) add_value(setting, element);
    } else {
      add_value(setting, node);
    }
    settings.push_back({key.source().begin, std::move(setting)});
  }

  void add_value(Setting& setting, const toml::node& node) {
    auto text = value_text(node);
    // Of a list only texts: an array of numbers or tables is nothing that an option takes.
    if (setting.kind == SettingKind::list && !node.is_string()) setting.kind = SettingKind::other;
    if (!text) return;
    if (text->find('\0') != std::string::npos && !fault_)
      fault_ = fmt::format("{}: {} holds a NUL", setting.where, in_quotes(setting.key));
    setting.values.push_back(std::move(*text));
  }

  std::string name_;
  std::optional<std::string> fault_;
};

std::string cannot_read(const std::string& path, const mqtt::Error& error) {
  const std::string name = mqtt::escape_for_terminal(path);
  if (error.code == EFBIG)
    return fmt::format("{}: more than {} bytes cannot be a configuration", name, settings_file_max_bytes);
  return fmt::format("{}: cannot be read: {}", name, std::generic_category().message(error.code));
}

}  // namespace

std::expected<SettingsFile, std::string> parse_settings(std::string_view text, const std::string& path) {
  FileReader reader{path};
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return std::unexpected(fmt::format("{}: the file is empty", mqtt::escape_for_terminal(path)));
  const toml::parse_result parsed = toml::parse(text);
  if (parsed) return reader.read(parsed.table());
  const toml::parse_error& error = parsed.error();
  return std::unexpected(
      fmt::format("{}: {}", reader.where(error.source()), mqtt::escape_for_terminal(error.description())));
}

std::expected<SettingsFile, std::string> read_settings_file(const std::string& path) {
  // "-" is a name here: a program that stays does not read standard input.
  const auto text = read_file(path == "-" ? "./-" : path, settings_file_max_bytes);
  if (!text) return std::unexpected(cannot_read(path, text.error()));
  return parse_settings(*text, path);
}

}  // namespace mq
