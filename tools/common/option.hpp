#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mq {

/// What kind of value an option takes: for help, man pages and shell completion.
enum class ValueKind : std::uint8_t { none, text, number, duration, size, choice, tuple };

/// What a shell offers for a value, besides words: names of what is there.
enum class Completion : std::uint8_t { none, file, directory, profile, interface, variable };

/// Where an option's value comes from. A later one beats those before it.
enum class Source : std::uint8_t { default_value, options_file, settings_file, environment, command_line };

/// Everything there is to know of one option. It is declared once; parsing, --help, man pages and
/// completions all read this.
struct OptionRecord {
  std::vector<std::string> names;  ///< "-V", "--protocol-version"; one without '-' for a positional
  ValueKind kind = ValueKind::none;
  bool positional = false;
  bool repeats = false;     ///< values collect; otherwise the last one counts
  bool hidden = false;      ///< works, but is not shown
  bool secret = false;      ///< the value is overwritten in argv
  bool typed_only = false;  ///< not for configuration files
  std::string metavar;
  std::string group;
  std::string text;
  std::string default_text;            ///< empty: none to show
  std::optional<std::string> implied;  ///< its value when typed without "=VALUE", which is then the only form
  std::string environment;             ///< variable that is read if the option is not given
  std::vector<std::string> choices;    ///< one spelling per value, in order
  std::vector<std::string> examples;
  std::vector<std::string> excludes;  ///< names of options that cannot be given together with it
  std::vector<std::string> needs;     ///< names of options that must be given with it
  std::vector<std::string> commands;  ///< of the program, that take it; empty: all do
  Completion completion = Completion::none;
  std::vector<std::string> completion_behind;  ///< commands behind which it holds; empty: everywhere
  /// Words to offer, when they are asked for. A line of several is what a tuple's value, or a positional, may
  /// be behind those before it: "publish content-type".
  std::function<std::vector<std::string>()> suggestions;

  /// The name used in messages if nothing was typed: the long one.
  [[nodiscard]] const std::string& main_name() const;
  [[nodiscard]] bool is_taken_by(std::string_view command) const;
};

/// What is wrong with a value, as the end of a sentence: "'1x' is not a number from 1 to 65535".
using ValueFault = std::string;
using ValueResult = std::expected<void, ValueFault>;

/// One declared option; the setters give themselves back, so that a declaration reads as one line.
class Option {
 public:
  using Values = std::span<const std::string>;
  /// Keeps the values of one occurrence, or says what is wrong with them.
  using Keep = std::function<ValueResult(Values)>;
  /// How many values this occurrence takes, judged by those taken so far.
  using Wanted = std::function<std::size_t(Values)>;
  /// From begin to before end.
  struct Part {
    std::size_t begin;
    std::size_t end;
  };
  /// Finds what is secret in a value, in order.
  using SecretParts = std::function<std::vector<Part>(std::string_view)>;

  Option(OptionRecord record, Keep keep, Wanted wanted);

  Option& metavar(std::string_view name);
  /// The value is FILE, or DIR, and is completed as such.
  Option& file();
  Option& directory();
  Option& group(std::string_view name);
  Option& text(std::string_view sentence);
  /// Shown in help instead of the target's initial value; "" shows none.
  Option& default_text(std::string_view shown);
  /// The value may be left out and then is this; it can only be given as "--name=VALUE".
  Option& implied(std::string_view value);
  /// Read if neither this option nor one that it excludes is on the command line.
  Option& env(std::string_view variable);
  Option& example(std::string_view usage);
  Option& excludes(std::initializer_list<std::string_view> names);
  Option& needs(std::initializer_list<std::string_view> names);
  /// Of a positional: if one of these commands stands before it.
  Option& completes(Completion what, std::initializer_list<std::string_view> behind = {});
  /// Offered to who completes the value; others are values, too.
  Option& suggests(std::function<std::vector<std::string>()> words);
  Option& hidden();
  /// For a value with a reading of its own: what kind it is all the same.
  Option& kind(ValueKind kind);
  /// Values collect; otherwise the last one counts.
  Option& repeats();
  /// A configuration file cannot set it.
  Option& typed_only();
  /// Each value is asked this before it is kept. Several may be given: the last one first.
  Option& must(std::function<ValueResult(std::string_view)> check);
  /// The value is overwritten in argv, so that `ps` no longer shows it.
  Option& secret();
  /// Only a part of the value is secret.
  Option& secret(SecretParts parts);

  [[nodiscard]] const OptionRecord& record() const { return record_; }
  [[nodiscard]] Source source() const { return source_; }
  [[nodiscard]] bool given() const { return source_ != Source::default_value; }

 private:
  friend class Options;

  OptionRecord record_;
  Keep keep_;
  Wanted wanted_;
  SecretParts secret_parts_;
  Source source_ = Source::default_value;
};

}  // namespace mq
