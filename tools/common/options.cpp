#include "common/options.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <mqtt/util/error.hpp>

#include "common/options_docs.hpp"
#include "common/options_relations.hpp"
#include "common/spelling.hpp"

namespace mq {
namespace {

constexpr std::string_view help_group = "Help";

std::vector<std::string> split_names(std::string_view names) {
  std::vector<std::string> result;
  for (;;) {
    const std::size_t comma = names.find(',');
    result.emplace_back(names.substr(0, comma));
    if (comma == std::string_view::npos) return result;
    names.remove_prefix(comma + 1);
  }
}

Option::Wanted exactly(std::size_t count) {
  return [count](Option::Values) { return count; };
}

std::unexpected<ValueFault> not_a(std::string_view value, std::string_view what) {
  return std::unexpected(fmt::format("{} is not {}", in_quotes(value), what));
}

std::string range_text(NumberRange range) {
  if (range.max == std::numeric_limits<std::uint64_t>::max())
    return range.min == 0 ? "a number" : fmt::format("a number from {} up", range.min);
  return fmt::format("a number from {} to {}", range.min, range.max);
}

std::function<ValueResult(const std::string&)> duration_into(std::function<void(mqtt::Duration)> keep) {
  return [keep](const std::string& value) -> ValueResult {
    const auto duration = mqtt::parse_duration(value);
    if (!duration) return not_a(value, "a duration such as 500ms, 2s or 1m");
    keep(*duration);
    return {};
  };
}

/// "16MiB", "1000": exact, and read back as the same.
std::string size_text(std::uint64_t size) {
  constexpr std::array<std::string_view, 4> units{"", "KiB", "MiB", "GiB"};
  std::size_t unit = 0;
  for (; unit + 1 < units.size() && size != 0 && size % 1024 == 0; ++unit) size /= 1024;
  return fmt::format("{}{}", size, units[unit]);
}

std::string size_range_text(NumberRange range) {
  if (range.min == 0) return "a size such as 4096, 64K or 1.5MiB";
  return fmt::format("a size from {} to {}", size_text(range.min), size_text(range.max));
}

/// "proxy", "proxy and replay", "proxy, read and lint"
std::string enumerated(std::span<const std::string> words) {
  const std::string last = words.back();
  words = words.first(words.size() - 1);
  return words.empty() ? last : fmt::format("{} and {}", fmt::join(words, ", "), last);
}

/// 0, or the errno of what could not be written.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

/// Of the terminal on stdout; lines beyond 100 columns read badly.
std::size_t help_columns() {
  constexpr std::size_t otherwise = 80, narrowest = 50, widest = 100;
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return otherwise;
  return std::clamp<std::size_t>(size.ws_col, narrowest, widest);
}

}  // namespace

Options::Options(Program program) : program_{std::move(program)} {
  flag("--help", help_wanted_).group(help_group).typed_only().text("show this help and exit");
  flag("--version", version_wanted_).group(help_group).typed_only().text("show the version and exit");
  choice("--print-docs", docs_wanted_,
         {{"man", Docs::man},
          {"bash", Docs::bash},
          {"fish", Docs::fish},
          {"zsh", Docs::zsh},
          {"json", Docs::json}})
      .group(help_group)
      .hidden()
      .typed_only()
      .text("write documentation that is made of the options, and exit");
}

Option& Options::add(std::string_view names, ValueKind kind, Option::Wanted wanted, Option::Keep keep) {
  OptionRecord record;
  record.names = split_names(names);
  record.kind = kind;
  record.positional = !names.starts_with('-');
  return options_.emplace_back(std::move(record), std::move(keep), std::move(wanted));
}

Option& Options::add_value(std::string_view names, ValueKind kind,
                           std::function<ValueResult(const std::string&)> keep) {
  return add(names, kind, exactly(1), [keep](Option::Values values) { return keep(values[0]); });
}

Option& Options::flag(std::string_view names, bool& target) {
  return add(names, ValueKind::none, exactly(0), [&target](Option::Values) -> ValueResult {
    target = true;
    return {};
  });
}

Option& Options::negation(std::string_view names, bool& target) {
  return add(names, ValueKind::none, exactly(0), [&target](Option::Values) -> ValueResult {
    target = false;
    return {};
  });
}

Option& Options::ignored_flag(std::string_view names) {
  return add(names, ValueKind::none, exactly(0), [](Option::Values) { return ValueResult{}; });
}

Option& Options::text(std::string_view names, std::string& target) {
  Option& option = parsed(names, [&target](std::string_view value) -> ValueResult {
    target = value;
    return {};
  });
  return option.default_text(target);
}

Option& Options::text(std::string_view names, std::optional<std::string>& target) {
  return parsed(names, [&target](std::string_view value) -> ValueResult {
    target = value;
    return {};
  });
}

Option& Options::list(std::string_view names, std::vector<std::string>& target) {
  const auto keep = [&target](std::string_view value) -> ValueResult {
    target.emplace_back(value);
    return {};
  };
  return parsed(names, keep).repeats();
}

Option& Options::parsed(std::string_view names, std::function<ValueResult(std::string_view)> keep) {
  return add_value(names, ValueKind::text, [keep](const std::string& value) { return keep(value); });
}

Option& Options::parsed_tuple(std::string_view names, Option::Wanted wanted, Option::Keep keep) {
  return add(names, ValueKind::tuple, std::move(wanted), std::move(keep)).repeats();
}

Option& Options::add_number(std::string_view names, NumberRange range, std::string initial,
                            std::function<void(std::uint64_t)> keep) {
  Option& option =
      add_value(names, ValueKind::number, [range, keep](const std::string& value) -> ValueResult {
        const auto number = mqtt::parse_number<std::uint64_t>(value);
        if (!number || *number < range.min || *number > range.max) return not_a(value, range_text(range));
        keep(*number);
        return {};
      });
  return option.default_text(initial);
}

Option& Options::add_words(std::string_view names, std::vector<std::string> words,
                           std::vector<std::string> shown_words, std::string initial,
                           std::function<void(std::size_t)> keep) {
  const std::string one_of = fmt::format("one of {}", fmt::join(shown_words, ", "));
  Option& option =
      add_value(names, ValueKind::choice,
                [words = std::move(words), one_of, keep](const std::string& value) -> ValueResult {
                  const auto word = std::ranges::find(words, value);
                  if (word == words.end()) return not_a(value, one_of);
                  keep(static_cast<std::size_t>(word - words.begin()));
                  return {};
                });
  option.record_.choices = std::move(shown_words);
  return option.default_text(initial);
}

Option& Options::duration(std::string_view names, mqtt::Duration& target) {
  auto keep = [&target](mqtt::Duration value) { target = value; };
  return add_value(names, ValueKind::duration, duration_into(keep))
      .default_text(mqtt::format_duration(target));
}

Option& Options::duration(std::string_view names, std::optional<mqtt::Duration>& target) {
  return add_value(names, ValueKind::duration,
                   duration_into([&target](mqtt::Duration value) { target = value; }));
}

Option& Options::add_size(std::string_view names, NumberRange range, std::uint64_t initial,
                          std::function<void(std::uint64_t)> keep) {
  Option& option = add_value(names, ValueKind::size, [range, keep](const std::string& value) -> ValueResult {
    const auto size = mqtt::parse_size(value);
    if (!size || *size < range.min || *size > range.max) return not_a(value, size_range_text(range));
    keep(*size);
    return {};
  });
  return option.default_text(size_text(initial));
}

void Options::example(std::string_view command, std::string_view what) {
  examples_.push_back({std::string{command}, std::string{what}});
}

void Options::rule(std::function<std::optional<std::string>()> check) { rules_.push_back(std::move(check)); }

Option* Options::lookup(std::string_view name) {
  for (Option& option : options_)
    if (std::ranges::find(option.record_.names, name) != option.record_.names.end()) return &option;
  return nullptr;
}

const Option& Options::find(std::string_view name) const {
  return *std::ranges::find_if(options_, [name](const Option& option) {
    return std::ranges::find(option.record().names, name) != option.record().names.end();
  });
}

ArgumentRules Options::argument_rules() {
  ArgumentRules rules;
  rules.lookup = [this](std::string_view name) { return lookup(name); };
  rules.wanted = [](const Option& option, Option::Values values) { return option.wanted_(values); };
  for (Option& option : options_) {
    if (option.record_.positional) rules.positionals.push_back(&option);
    if (!option.record_.positional && !option.record_.hidden)
      rules.names.insert(rules.names.end(), option.record_.names.begin(), option.record_.names.end());
  }
  return rules;
}

void Options::taken_by(std::string_view name, std::initializer_list<std::string_view> commands) {
  lookup(name)->record_.commands.assign(commands.begin(), commands.end());
}

void Options::group_taken_by(std::string_view group, std::initializer_list<std::string_view> commands) {
  for (Option& option : options_)
    if (option.record_.group == group) option.record_.commands.assign(commands.begin(), commands.end());
}

void Options::hide(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) lookup(name)->hidden();
}

std::optional<std::string> Options::not_taken_by(std::string_view command) const {
  for (const Option& option : options_) {
    const OptionRecord& record = option.record();
    if (!option.given() || record.is_taken_by(command)) continue;
    return fmt::format("option '{}' is for {} {}, not for {}", record.main_name(), program_.name,
                       enumerated(record.commands), command);
  }
  return std::nullopt;
}

bool Options::is_beaten(const Option& option, Source source) const {
  const auto beats = [&](const Occurrence& occurrence) {
    if (occurrence.source <= source) return false;
    if (occurrence.option == &option) return true;
    const auto excludes = [](const OptionRecord& a, const OptionRecord& b) {
      return std::ranges::any_of(a.excludes, [&](const std::string& name) {
        return std::ranges::find(b.names, name) != b.names.end();
      });
    };
    const OptionRecord& other = occurrence.option->record();
    return excludes(option.record(), other) || excludes(other, option.record());
  };
  return std::ranges::any_of(occurrences_, beats);
}

namespace {

/// What is set of a variable's spellings: those of proxies are written in capitals or without, by a habit of
/// the web's tools.
std::string spelling_in_use(std::string variable, const Options::Environment& environment) {
  if (!variable.ends_with("_PROXY") || environment(variable.c_str())) return variable;
  for (char& c : variable)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  return variable;
}

}  // namespace

void Options::add_environment(const Environment& environment) {
  for (Option& option : options_) {
    if (option.record_.environment.empty() || is_beaten(option, Source::environment)) continue;
    const std::string variable = spelling_in_use(option.record_.environment, environment);
    // An empty variable is how scripts say "none".
    const char* value = environment(variable.c_str());
    if (value && *value) occurrences_.push_back({&option, variable, Source::environment, {value}, {}, {}});
  }
}

std::optional<std::string> Options::keep_values() {
  for (Occurrence& occurrence : occurrences_) {
    const ValueResult kept = occurrence.option->keep_(occurrence.values);
    occurrence.option->source_ = occurrence.source;
    if (!kept) return fmt::format("{}: {}", name_as_given(occurrence), kept.error());
  }
  return std::nullopt;
}

std::optional<std::string> Options::broken_rule() const {
  for (const auto& check : rules_)
    if (auto sentence = check()) return sentence;
  return std::nullopt;
}

std::optional<std::string> Options::take(CutArguments cut, const Environment& environment) {
  occurrences_ = std::move(cut.occurrences);
  if (cut.fault) return std::move(cut.fault);
  add_environment(environment);
  if (auto sentence = add_settings()) return sentence;
  if (auto sentence = add_options_file(environment)) return sentence;
  if (auto sentence = broken_relation(options_, occurrences_)) return sentence;
  if (auto sentence = keep_values()) return sentence;
  return broken_rule();
}

namespace {

/// Which may be a command; empty if there is none.
std::string_view first_argument(const CutArguments& cut) {
  for (const Occurrence& occurrence : cut.occurrences)
    if (occurrence.option->record().positional) return occurrence.values.front();
  return {};
}

}  // namespace

std::expected<void, Stop> Options::read(const std::vector<std::string>& arguments,
                                        const Environment& environment) {
  CutArguments cut = cut_arguments(arguments, argument_rules());
  // Who asks for help gets it, whatever else is wrong with the line.
  for (const Occurrence& occurrence : cut.occurrences) {
    if (occurrence.typed == "--help")
      return std::unexpected(Stop{ExitCode::ok, help(help_columns(), first_argument(cut)), {}});
    if (occurrence.typed == "--version")
      return std::unexpected(Stop{ExitCode::ok, fmt::format("{} {}\n", program_.name, MQ_VERSION), {}});
    if (occurrence.typed == "--print-docs" && !occurrence.values.empty() &&
        occurrence.option->keep_(occurrence.values))
      return std::unexpected(Stop{ExitCode::ok, print_docs(*this, *docs_wanted_), {}});
  }
  if (const auto sentence = take(std::move(cut), environment))
    return std::unexpected(Stop{ExitCode::usage, {}, usage_error(*sentence)});
  if (config_wanted_) return std::unexpected(Stop{ExitCode::ok, effective(), {}});
  return {};
}

void Options::scrub_secrets(char** arguments) const {
  for (const Occurrence& occurrence : occurrences_) {
    if (!occurrence.option->record_.secret) continue;
    // Joined as in value_in_effect(): which value is secret may be said by another one of them.
    std::string text;
    std::vector<char*> bytes;
    for (const ArgumentPart part : occurrence.parts) {
      if (!text.empty()) text += ' ', bytes.push_back(nullptr);
      for (char* at = arguments[part.argument] + part.offset; *at != 0; ++at)
        text += *at, bytes.push_back(at);
    }
    for (const auto [begin, end] : occurrence.option->secret_parts_(text))
      for (std::size_t n = begin; n < end; ++n)
        if (bytes[n]) *bytes[n] = 'x';
  }
}

ParseResult Options::parse(int argc, char** argv) {
  char** arguments = argv + (argc > 0 ? 1 : 0);
  const auto result = read({arguments, argv + argc}, [](const char* name) { return std::getenv(name); });
  scrub_secrets(arguments);
  occurrences_.clear();
  if (result) return {};
  std::signal(SIGPIPE, SIG_IGN);  // a reader that has seen enough is no failure
  const int fault = write_all(STDOUT_FILENO, result.error().to_stdout);
  const bool failed = fault != 0 && fault != EPIPE;
  const std::string line =
      failed ? usage_error(mqtt::system_error(fault, "cannot write to standard output").context)
             : result.error().to_stderr;
  (void)write_all(STDERR_FILENO, line);  // nobody else to tell
  return std::unexpected(failed ? ExitCode::local_io : result.error().code);
}

std::string Options::usage_error(std::string_view sentence) const {
  return fmt::format("{}: {}\n", program_.name, sentence);
}

}  // namespace mq
