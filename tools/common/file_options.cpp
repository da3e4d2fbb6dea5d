#include "common/file_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "common/settings_file.hpp"
#include "common/spelling.hpp"

namespace mq {
namespace {

using Settings = std::expected<std::vector<Setting>, std::string>;

constexpr std::array<std::string_view, 6> programs{"mqpub", "mqsub", "mqreq", "mqbench", "mqspy", "mqbroker"};

/// The table of the program comes after the top level, and so beats it.
Settings settings_for(std::string_view program, const std::string& path) {
  auto file = read_settings_file(path);
  if (!file) return std::unexpected(std::move(file.error()));
  for (const SettingsTable& table : file->tables)
    return std::unexpected(fmt::format("{}: no list of tables belongs here", table.where));
  for (SettingsTable& section : file->sections) {
    if (std::ranges::find(programs, section.name) == programs.end())
      return std::unexpected(fmt::format("{}: {} is not a program with a table; programs are {}",
                                         section.where, in_quotes(section.name), fmt::join(programs, ", ")));
    if (section.name == program) std::ranges::move(section.settings, std::back_inserter(file->settings));
  }
  return std::move(file->settings);
}

Settings settings_of_profile(std::string_view program, const std::string& name) {
  const std::string path = profile_path(name, [](const char* variable) { return std::getenv(variable); });
  if (path.empty())
    return std::unexpected(fmt::format(
        "option '--profile': {} cannot be found: it is a name without '/', of a file in mq/ below "
        "$XDG_CONFIG_HOME or $HOME/.config",
        in_quotes(name)));
  return settings_for(program, path);
}

}  // namespace

void declare_file_options(Options& o, FileOptions& files) {
  constexpr std::string_view group = "Configuration";
  const std::string& program = o.program().name;
  o.settings_file("--profile", files.profile,
                  [&program](const std::string& name) { return settings_of_profile(program, name); })
      .metavar("NAME")
      .completes(Completion::profile)
      .group(group)
      .text("read options from $XDG_CONFIG_HOME/mq/NAME.toml (~/.config/mq/NAME.toml)")
      .example("--profile work");
  o.settings_file("--config", files.config,
                  [&program](const std::string& path) { return settings_for(program, path); })
      .file()
      .group(group)
      .excludes({"--profile"})
      .text(fmt::format("read options from this TOML file: host = \"broker.lan\". What is typed, and the "
                        "environment, beat it; a table [{}] is for {} alone",
                        program, program));
  const std::string by_default = fmt::format("{}", fmt::join(o.program().options_files, " or "));
  o.options_file("-o,--options-file", files.options_file)
      .file()
      .group(group)
      .default_text(by_default.empty() ? ""
                                       : by_default + " in $XDG_CONFIG_HOME or ~/.config, if there is one")
      .text("read options from this file, one and its value a line: -h broker.lan");
  o.show_config("--show-config")
      .group(group)
      .text("show which options are in effect and where they come from, secrets masked, and exit");
}

}  // namespace mq
