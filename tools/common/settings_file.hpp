#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mq {

enum class SettingKind : std::uint8_t { boolean, integer, decimal, text, list, table, other };

/// One line of a configuration file.
struct Setting {
  std::string key;  ///< any characters
  SettingKind kind = SettingKind::other;
  /// As an option takes them: "true", "16", "1.5", a text; of a list its texts; of a table none.
  std::vector<std::string> values;
  std::string where;  ///< "mq.toml:3", safe for a terminal
};

/// One [NAME] or [[NAME]] of a configuration file.
struct SettingsTable {
  std::string name;
  std::string where;  ///< of its first line
  std::vector<Setting> settings;
};

struct SettingsFile {
  std::vector<Setting> settings;        ///< of the top level, by line
  std::vector<SettingsTable> sections;  ///< [NAME], by line
  std::vector<SettingsTable> tables;    ///< [[NAME]], by line
};

/// Gives the settings that a configuration file has for the options, or a sentence: "mq.toml:3: ...".
using SettingsReader =
    std::function<std::expected<std::vector<Setting>, std::string>(const std::string& path)>;

/// Nobody writes more by hand.
inline constexpr std::size_t settings_file_max_bytes = 1024 * 1024;

/// Reads TOML 1.0. The error is a sentence that begins with the file, and the line where there is one. A
/// file without a word in it is an error: whoever named it meant more than the defaults.
[[nodiscard]] std::expected<SettingsFile, std::string> read_settings_file(const std::string& path);

/// The same for text that is at hand.
[[nodiscard]] std::expected<SettingsFile, std::string> parse_settings(std::string_view text,
                                                                      const std::string& path);

}  // namespace mq
