#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/options_docs_completion.hpp"

// Completion for fish.

namespace mq::in_fish {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "'";
}

/// The argument -a for words, and for what is there.
std::string offered(const CompletedPlace& place) {
  std::string words = fmt::format("{}", fmt::join(place.words, " "));
  const std::string_view found = place.completion == Completion::directory   ? "(__fish_complete_directories)"
                                 : place.completion == Completion::profile   ? "(__mq_profiles)"
                                 : place.completion == Completion::interface ? "(__mq_interfaces)"
                                 : place.completion == Completion::variable  ? "(set -xn)"
                                                                             : "";
  if (!found.empty()) words.append(words.empty() ? "" : " ").append(found);
  return words.empty() ? "" : " -a " + quoted(words);
}

/// Whether the words before belong to these options: a program's commands have options of their own.
std::string condition(const Options& options) {
  const auto [program, command] = program_words(options);
  if (!command.empty()) return fmt::format("__{}_behind {}", program, command);
  const auto& commands = options.program().commands;
  return commands.empty() ? "" : fmt::format("not __{}_behind {}", program, fmt::join(commands, " "));
}

std::string rule(const Options& options, std::string_view more) {
  std::string both = condition(options);
  if (!more.empty()) both.append(both.empty() ? "" : "; and ").append(more);
  return fmt::format("complete -c {}{}", program_words(options).program,
                     both.empty() ? "" : " -n " + quoted(both));
}

/// What goes between names and text: whether a value follows, and which.
std::string value(const OptionRecord& record, std::span<const CompletedPlace> places) {
  if (record.kind == ValueKind::none) return "";
  const auto place = std::ranges::find(places, record.names, &CompletedPlace::contexts);
  const std::string offer = place == places.end() ? "" : offered(*place);
  if (record.implied) return offer;  // fish asks for a value behind "=" alone, then
  return (place != places.end() && place->completion == Completion::file ? " -r -F" : " -x") + offer;
}

void append_option(std::string& out, const Options& options, const OptionRecord& record,
                   std::span<const CompletedPlace> places) {
  const std::string takers =
      fmt::format("_{}_is_for {}", function_name(options), fmt::join(record.commands, " "));
  out += rule(options, record.commands.empty() ? "" : takers);
  for (const std::string& name : record.names)
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  fmt::format_to(std::back_inserter(out), "{} -d {}\n", value(record, places), quoted(brief_text(record)));
}

/// Places that are not the first value of an option.
void append_place(std::string& out, const Options& options, const CompletedPlace& place) {
  const bool is_value = place.record && place.record->names == place.contexts;
  if (is_value || (place.words.empty() && place.completion == Completion::none)) return;
  std::string contexts;
  for (const std::string& context : place.contexts)
    contexts += " " + (context == "*" ? context : quoted(context));
  const bool anywhere = std::ranges::find(place.contexts, "*") != place.contexts.end();
  const std::string where =
      anywhere ? "" : fmt::format("contains -- \"$(_{}_context)\"{}", function_name(options), contexts);
  out += rule(options, where) + (place.completion == Completion::file ? " -F" : "") + offered(place) + "\n";
}

/// Cases by how many values an option takes behind it.
std::string counts(const Options& options) {
  std::string one, out;
  for (const OptionRecord* record : completed_options(options)) {
    const std::size_t count = values_behind(*record);
    const std::string names = fmt::format(" {}", fmt::join(record->names, " "));
    if (count == 1) one += names;
    if (count > 1)
      out += fmt::format("                case{}\n                    set left {}\n", names, count);
  }
  return one.empty() ? out
                     : fmt::format("                case{}\n                    set left 1\n{}", one, out);
}

constexpr std::string_view start = R"(# Completion of {0} in fish, made by {0} --print-docs=fish.

function __mq_profiles
    set -l directory ~/.config
    set -q XDG_CONFIG_HOME; and set directory $XDG_CONFIG_HOME
    for file in $directory/mq/*.toml
        string replace -r '.*/(.*)\.toml$' '$1' -- $file
    end
end

function __mq_interfaces
    for file in /sys/class/net/*
        string replace -r '.*/' '' -- $file
    end
end

function __{0}_behind
    set -l words (commandline -opc)
    contains -- "$words[2]" $argv
end

complete -c {0} -f
)";

/// What CompletedPlace::contexts says of the words before this one.
constexpr std::string_view context = R"(
function _{0}_context
    set -l option
    set -l arguments
    set -l left 0
    for word in (commandline -opc)[{1}..]
        if test $left -gt 0
            set -a option $word
            set left (math $left - 1)
            test "$option[3..]" = user-property; and set left 2
        else
            switch $word
{2}                case '-?*'
                    set left 0
                case '*'
                    set -a arguments $word
                    continue
            end
            set option $word
        end
    end
    test $left -gt 0; and set arguments $option
    echo $arguments
end
)";

/// Whether one of these commands is there, or none yet. At an option's value nothing is known, and all are
/// meant.
constexpr std::string_view is_for = R"(
function _{0}_is_for
    set -l words (string split ' ' -- (_{0}_context))
    test -z "$words[1]"; or string match -q -- '-*' $words[1]; or contains -- $words[1] $argv
end
)";

std::string script(const Options& options) {
  const auto [program, command] = program_words(options);
  const std::vector<CompletedPlace> places = completed_places(options);
  std::string out = command.empty() ? fmt::format(start, program) : "";
  out += fmt::format(context, function_name(options), command.empty() ? 2 : 3, counts(options));
  if (options_by_commands(options).size() > 1) out += fmt::format(is_for, function_name(options));
  out += "\n";
  for (const OptionRecord* record : completed_options(options)) append_option(out, options, *record, places);
  for (const CompletedPlace& place : places) append_place(out, options, place);
  return out;
}

}  // namespace
}  // namespace mq::in_fish

std::string mq::fish_completion(const Options& options) { return in_fish::script(options); }
