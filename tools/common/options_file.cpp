#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include <mqtt/util/text.hpp>

#include "common/options.hpp"
#include "common/settings_file.hpp"
#include "common/spelling.hpp"
#include "common/stdio.hpp"

// Options from a file of options: one a line, as they are typed.

namespace mq {
namespace {

/// $XDG_CONFIG_HOME, or $HOME/.config (XDG Base Directory Specification); "" if there is neither.
std::string config_directory(const Options::Environment& environment) {
  const auto variable = [&environment](const char* name) {
    const char* value = environment(name);
    return std::string{value ? value : ""};
  };
  if (const std::string directory = variable("XDG_CONFIG_HOME"); !directory.empty()) return directory;
  const std::string home = variable("HOME");
  return home.empty() ? "" : home + "/.config";
}

std::string cannot_read(const std::string& path, const mqtt::Error& error) {
  return fmt::format("{}: cannot be read: {}", mqtt::escape_for_terminal(path),
                     std::generic_category().message(error.code));
}

}  // namespace

std::string profile_path(std::string_view name, const Options::Environment& environment) {
  if (name.find('/') != std::string_view::npos || name.empty()) return {};
  const std::string directory = config_directory(environment);
  return directory.empty() ? "" : fmt::format("{}/mq/{}.toml", directory, name);
}

Option& Options::options_file(std::string_view names, std::optional<std::string>& target) {
  Option& option = text(names, target).typed_only();
  options_file_ = &option;
  return option;
}

std::optional<std::string> Options::add_option_line(std::string_view line, std::string where) {
  const std::size_t space = line.find_first_of(" =");
  const bool is_long = line.starts_with("--");
  const std::size_t end = is_long ? space : line.find(' ');
  const std::string name{line.substr(0, end)};
  Option* option = lookup(name);
  if (!option || option->record_.positional)
    return fmt::format("{}: {} is not an option", where, in_quotes(name));
  if (option->record_.typed_only) return fmt::format("{}: '{}' is for the command line only", where, name);
  Occurrence occurrence{option, name, Source::options_file, {}, {}, std::move(where)};
  const bool valued = end != std::string_view::npos;
  if (!valued && option->record_.implied)
    occurrence.values.push_back(*option->record_.implied);
  else if (!valued && option->wanted_({}) > 0)
    return name_as_given(occurrence) + " needs a value";
  else if (auto sentence = take_values(occurrence, valued ? line.substr(end + 1) : "", option->wanted_))
    return sentence;
  if (!is_beaten(*option, Source::options_file)) occurrences_.push_back(std::move(occurrence));
  return std::nullopt;
}

std::optional<std::string> Options::add_options_file(const Environment& environment) {
  if (!options_file_) return std::nullopt;
  std::vector<std::string> paths;
  const std::string* named = given_value(options_file_);
  const std::string directory = config_directory(environment);
  if (named)
    paths.push_back(*named);
  else if (!directory.empty())
    for (const std::string& name : program_.options_files)
      paths.push_back(fmt::format("{}/{}", directory, name));

  for (const std::string& path : paths) {
    const auto text = read_file(path, settings_file_max_bytes);
    if (!text && text.error().code == ENOENT && !named) continue;
    if (!text) return cannot_read(path, text.error());
    return add_option_lines(*text, path);
  }
  return std::nullopt;
}

std::optional<std::string> Options::add_option_lines(std::string_view text, const std::string& path) {
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    std::string where = fmt::format("{}:{}", mqtt::escape_for_terminal(path), number);
    if (line.find('\0') != std::string_view::npos) return where + ": the line holds a NUL";
    if (auto sentence = add_option_line(line, std::move(where))) return sentence;
  }
  return std::nullopt;
}

}  // namespace mq
