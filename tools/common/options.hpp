#pragma once
#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <mqtt/util/text.hpp>
#include <mqtt/util/time.hpp>

#include "common/argv.hpp"
#include "common/exit_code.hpp"
#include "common/option.hpp"
#include "common/settings_file.hpp"

namespace mq {

enum class Docs : std::uint8_t;  // options_docs.hpp

struct NumberRange {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

template <class T>
using Choices = std::initializer_list<std::pair<std::string_view, T>>;

/// A word that says what the program is to do, as --help introduces it. All are literals.
struct OwnCommand {
  std::string_view name;     ///< "read"
  std::string_view usage;    ///< what follows it in its usage line: "FILE [OPTIONS]"
  std::string_view summary;  ///< a sentence or two
};

/// The program as --help introduces it.
struct Program {
  std::string name;     ///< "mqpub"
  std::string summary;  ///< one sentence
  std::string usage;    ///< what follows the name in the usage line; empty: a command does
  /// Of its options file, in $XDG_CONFIG_HOME or $HOME/.config: the first that exists is read.
  std::vector<std::string> options_files = {};
  /// Those whose options are among the program's: its first argument is one of them.
  std::vector<OwnCommand> own_commands = {};
  /// Those that have options of their own, and so come before all options.
  std::vector<std::string> commands = {};
};

/// Why parsing ends the program, and what is to be printed before.
struct Stop {
  ExitCode code = ExitCode::ok;
  std::string to_stdout;
  std::string to_stderr;
};

using ParseResult = std::expected<void, ExitCode>;

/// The options of one program. Targets keep their initial value unless the option is given, and must
/// outlive parse().
class Options {
 public:
  explicit Options(Program program);
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  /// NAMES are "-V,--protocol-version", the short one first; positionals have none with '-'.
  Option& flag(std::string_view names, bool& target);
  /// A flag that makes the target false: "--no-retain".
  Option& negation(std::string_view names, bool& target);
  Option& text(std::string_view names, std::string& target);
  Option& text(std::string_view names, std::optional<std::string>& target);
  Option& list(std::string_view names, std::vector<std::string>& target);

  /// A whole decimal number; the range is also cut to the target's type, and starts at 0.
  template <std::integral T>
  Option& number(std::string_view names, T& target, NumberRange range = {}) {
    return add_number(names, clamped<T>(range), std::to_string(target),
                      [&target](std::uint64_t value) { target = static_cast<T>(value); });
  }
  template <std::integral T>
  Option& number(std::string_view names, std::optional<T>& target, NumberRange range = {}) {
    return add_number(names, clamped<T>(range), target ? std::to_string(*target) : "",
                      [&target](std::uint64_t value) { target = static_cast<T>(value); });
  }

  /// "500ms", "2s", "1m"; a bare number is seconds.
  Option& duration(std::string_view names, mqtt::Duration& target);
  Option& duration(std::string_view names, std::optional<mqtt::Duration>& target);
  /// "64K", "1.5MiB": bytes. The range is also cut to the target's type.
  template <std::integral T>
  Option& size(std::string_view names, T& target, NumberRange range = {}) {
    return add_size(names, clamped<T>(range), static_cast<std::uint64_t>(target),
                    [&target](std::uint64_t value) { target = static_cast<T>(value); });
  }

  /// One of a few words. Several words may mean the same value: the first is the one that is shown.
  template <class T>
  Option& choice(std::string_view names, T& target, Choices<std::type_identity_t<T>> choices) {
    return add_choice<T>(names, choices, shown(target, choices),
                         [&target](const T& value) { target = value; });
  }
  template <class T>
  Option& choice(std::string_view names, std::optional<T>& target, Choices<std::type_identity_t<T>> choices) {
    return add_choice<T>(names, choices, target ? shown(*target, choices) : "",
                         [&target](const T& value) { target = value; });
  }

  /// Exactly N values per occurrence; occurrences collect.
  template <std::size_t N>
  Option& tuple(std::string_view names, std::vector<std::array<std::string, N>>& target) {
    return parsed_tuple(
        names, [](Option::Values) { return N; },
        [&target](Option::Values values) -> ValueResult {
          std::ranges::copy(values, target.emplace_back().begin());
          return {};
        });
  }
  /// Several values per occurrence, as many as `wanted` says after each; occurrences collect.
  Option& parsed_tuple(std::string_view names, Option::Wanted wanted, Option::Keep keep);
  /// One value, with its own reading.
  Option& parsed(std::string_view names, std::function<ValueResult(std::string_view)> keep);
  /// Names a configuration file. Its settings have the names of the options without dashes; the command
  /// line and the environment beat them.
  Option& settings_file(std::string_view names, std::optional<std::string>& target, SettingsReader reader);
  /// Names a file with an option and its value on each line, as on the command line, but the rest of the
  /// line is the value. Everything else beats it. Without the option it is the first of
  /// Program::options_files.
  Option& options_file(std::string_view names, std::optional<std::string>& target);
  /// Asks for effective() instead of the program's work.
  Option& show_config(std::string_view names);
  /// Taken and ignored: for what scripts written for other tools say.
  Option& ignored_flag(std::string_view names);

  /// Shown at the end of --help: a whole command line and what it does.
  void example(std::string_view command, std::string_view what);
  /// Only these commands take the option, which has been declared; none: all do.
  void taken_by(std::string_view name, std::initializer_list<std::string_view> commands);
  /// The same of all options that the group has by now.
  void group_taken_by(std::string_view group, std::initializer_list<std::string_view> commands);
  /// What the program has no use for: a rule refuses it by name, and nothing shows it.
  void hide(std::initializer_list<std::string_view> names);

  /// Checked after all options have their values: a sentence if they do not go together. Rules run in
  /// the order in which they were added; the first sentence ends it.
  void rule(std::function<std::optional<std::string>()> check);

  /// Reads the command line and the environment. --help and --version print on stdout and give exit
  /// code 0; a mistake prints one line on stderr and gives 2. Secrets in argv are overwritten.
  [[nodiscard]] ParseResult parse(int argc, char** argv);

  using Environment = std::function<const char*(const char*)>;
  /// The same without printing and without touching anything but the targets; `arguments` without the
  /// program's name.
  [[nodiscard]] std::expected<void, Stop> read(const std::vector<std::string>& arguments,
                                               const Environment& environment);

  /// Settings alone, without a command line: for a table of a configuration file. A sentence if something
  /// is wrong with them.
  [[nodiscard]] std::optional<std::string> read_settings(const std::vector<Setting>& settings);

  /// One finished line for stderr: "mqpub: SENTENCE".
  [[nodiscard]] std::string usage_error(std::string_view sentence) const;

  /// `columns` wide; for a terminal or a page. Of an own command only what concerns it.
  [[nodiscard]] std::string help(std::size_t columns, std::string_view command = {}) const;
  [[nodiscard]] const Program& program() const { return program_; }
  [[nodiscard]] const std::deque<Option>& all() const { return options_; }
  /// By any of its names, which must exist.
  [[nodiscard]] const Option& find(std::string_view name) const;
  [[nodiscard]] bool given(std::string_view name) const { return find(name).given(); }
  /// For a rule: the first given option that the command does not take, as a sentence.
  [[nodiscard]] std::optional<std::string> not_taken_by(std::string_view command) const;

 private:
  struct Example {
    std::string command;
    std::string what;
  };

  template <class T>
  static NumberRange clamped(NumberRange range) {
    constexpr std::uint64_t most = std::numeric_limits<T>::max();
    return {range.min, range.max < most ? range.max : most};
  }

  template <class T>
  static std::string shown(const T& value, Choices<T> choices) {
    for (const auto& [name, meaning] : choices)
      if (meaning == value) return std::string{name};
    return {};
  }

  /// A value's first spelling is the one that help and messages show.
  template <class T>
  Option& add_choice(std::string_view names, Choices<T> choices, std::string initial,
                     std::function<void(const T&)> keep) {
    std::vector<std::string> words, shown_words;
    std::vector<T> values;
    for (const auto& [name, value] : choices) {
      if (std::ranges::find(values, value) == values.end()) shown_words.emplace_back(name);
      words.emplace_back(name);
      values.push_back(value);
    }
    return add_words(names, std::move(words), std::move(shown_words), std::move(initial),
                     [values, keep](std::size_t index) { keep(values[index]); });
  }

  Option& add(std::string_view names, ValueKind kind, Option::Wanted wanted, Option::Keep keep);
  Option& add_value(std::string_view names, ValueKind kind,
                    std::function<ValueResult(const std::string&)> keep);
  Option& add_number(std::string_view names, NumberRange range, std::string initial,
                     std::function<void(std::uint64_t)> keep);
  Option& add_size(std::string_view names, NumberRange range, std::uint64_t initial,
                   std::function<void(std::uint64_t)> keep);
  Option& add_words(std::string_view names, std::vector<std::string> words,
                    std::vector<std::string> shown_words, std::string initial,
                    std::function<void(std::size_t)> keep);

  [[nodiscard]] Option* lookup(std::string_view name);
  [[nodiscard]] ArgumentRules argument_rules();
  /// The first thing that is wrong, as a sentence.
  [[nodiscard]] std::optional<std::string> take(CutArguments cut, const Environment& environment);
  void add_environment(const Environment& environment);
  [[nodiscard]] std::optional<std::string> add_settings();
  [[nodiscard]] std::optional<std::string> add_setting(const Setting& setting);
  [[nodiscard]] std::optional<std::string> add_options_file(const Environment& environment);
  [[nodiscard]] std::optional<std::string> add_option_lines(std::string_view text, const std::string& path);
  [[nodiscard]] std::optional<std::string> add_option_line(std::string_view line, std::string where);
  [[nodiscard]] const std::string* given_value(const Option* option) const;
  /// While parsing: what is in effect, as a settings file would say it, with secrets masked.
  [[nodiscard]] std::string effective() const;
  [[nodiscard]] std::string value_in_effect(const Occurrence& occurrence) const;
  [[nodiscard]] std::string unknown_setting(const Setting& setting) const;
  /// Whether a source above `source` has given it, or an option that it excludes.
  [[nodiscard]] bool is_beaten(const Option& option, Source source) const;
  [[nodiscard]] std::optional<std::string> keep_values();
  [[nodiscard]] std::optional<std::string> broken_rule() const;
  void scrub_secrets(char** arguments) const;

  Program program_;
  std::deque<Option> options_;
  std::vector<Example> examples_;
  std::vector<std::function<std::optional<std::string>()>> rules_;
  std::vector<Occurrence> occurrences_;  // while parsing
  struct SettingsSource {
    const Option* option;
    SettingsReader reader;
  };
  std::vector<SettingsSource> settings_sources_;
  const Option* options_file_ = nullptr;
  bool help_wanted_ = false;
  bool version_wanted_ = false;
  bool config_wanted_ = false;
  std::optional<Docs> docs_wanted_;
};

/// Where the profile NAME is: mq/NAME.toml in $XDG_CONFIG_HOME or $HOME/.config. "" if NAME cannot be one.
[[nodiscard]] std::string profile_path(std::string_view name, const Options::Environment& environment);

}  // namespace mq
