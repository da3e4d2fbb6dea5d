#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/options_docs_completion.hpp"

// Completion for zsh, by its function _arguments.

namespace mq::in_zsh {
namespace {

/// `letters`, each behind a backslash.
std::string escaped(std::string_view text, std::string_view letters) {
  std::string out;
  for (const char c : text) {
    if (letters.find(c) != std::string_view::npos) out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string{R"('\'')"} : std::string(1, c);
  return out + "'";
}

std::string_view offer(Completion completion) {
  switch (completion) {
    case Completion::none: return "";
    case Completion::file: return "_files";
    case Completion::directory: return "_files -/";
    case Completion::profile: return "_mq_profiles";
    case Completion::interface: return "_mq_interfaces";
    case Completion::variable: return R"(_parameters -g "*export*")";
  }
  return "";
}

/// What _arguments does for a value; where that depends on what stands before, or is of two kinds, the state
/// with the option's name.
std::string action(const OptionRecord& record, std::span<const CompletedPlace> places) {
  const auto mine = [&record](const CompletedPlace& place) { return place.record == &record; };
  const auto place = std::ranges::find_if(places, mine);
  if (place == places.end()) return " ";
  const bool is_simple = std::ranges::count_if(places, mine) == 1 && !record.positional;
  if (!is_simple || (!place->words.empty() && place->completion != Completion::none))
    return "->" + record.main_name();
  if (!place->words.empty()) return fmt::format("({})", fmt::join(place->words, " "));
  return place->completion == Completion::none ? " " : std::string{offer(place->completion)};
}

/// ":PACKET:->--property:NAME:->--property:VALUE:->--property"
std::string values(const OptionRecord& record, std::span<const CompletedPlace> places) {
  std::string out, names = value_name(record);
  if (record.kind == ValueKind::none) return out;
  const std::string act = action(record, places);
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end =
        record.kind == ValueKind::tuple ? std::min(names.find(' ', begin), names.size()) : names.size();
    out += fmt::format(":{}:{}", escaped(names.substr(begin, end - begin), ":\\"), act);
    begin = end + 1;
  }
  return record.implied ? ":" + out : out;
}

/// "-q+" takes its value behind it or as the next word; "--qos=" the same.
std::string spelled(const OptionRecord& record, const std::string& name) {
  if (record.kind == ValueKind::none || record.kind == ValueKind::tuple) return name;
  if (!name.starts_with("--")) return name + "+";
  return name + (record.implied ? "=-" : "=");
}

void append_option(std::string& out, const OptionRecord& record, std::span<const CompletedPlace> places) {
  const std::string once = record.repeats ? "*" : fmt::format("({})", fmt::join(record.names, " "));
  const std::string rest = fmt::format("[{}]{}", escaped(brief_text(record), "[]\\"), values(record, places));
  for (const std::string& name : record.names)
    fmt::format_to(std::back_inserter(out), "    {}\n", quoted(once + spelled(record, name) + rest));
}

void append_argument(std::string& out, const OptionRecord& record, std::size_t number) {
  const std::string where = record.repeats ? "*" : fmt::format("{}", number);
  fmt::format_to(std::back_inserter(out), "    {}\n",
                 quoted(fmt::format("{}:{}:->arguments", where, record.main_name())));
}

std::string arguments(const Options& options) {
  std::string out;
  std::size_t number = 0;
  for (const Option& option : options.all())
    if (option.record().positional) append_argument(out, option.record(), ++number);
  if (number == 0 && !options.program().commands.empty()) out += "    '1:COMMAND:->arguments'\n";
  return out;
}

/// Of arguments and what all commands take, then of what some do, which is offered before there is one, too.
std::string specifications(const Options& options, std::span<const CompletedPlace> places) {
  std::string out;
  for (const auto& [commands, records] : options_by_commands(options)) {
    out += commands.empty()
               ? "  specifications=(\n" + arguments(options)
               : fmt::format("  [[ $command == (|{}) ]] && specifications+=(\n", fmt::join(commands, "|"));
    for (const OptionRecord* record : records) append_option(out, *record, places);
    out += "  )\n";
  }
  return out;
}

/// Finds the first argument; cases are by how many values an option takes behind it.
std::string search(const Options& options) {
  if (options_by_commands(options).size() == 1) return "";
  std::string one, more;
  for (const OptionRecord* record : completed_options(options)) {
    const std::size_t count = values_behind(*record);
    const std::string names = fmt::format("{}", fmt::join(record->names, "|"));
    if (count == 1) one += (one.empty() ? "" : "|") + names;
    if (count > 1) more += fmt::format("      ({}) left={} ;;\n", names, count);
  }
  return fmt::format(R"(  for word in "${{(@)words[2,CURRENT-1]}}"; do
    (( left-- > 0 )) && continue
    left=0
    case $word in
      ({}) left=1 ;;
{}      (-*) ;;
      (*) command=$word; break ;;
    esac
  done
)",
                     one, more);
}

std::string pattern(const std::vector<std::string>& contexts) {
  std::string out;
  for (const std::string& context : contexts)
    out += (out.empty() ? "" : "|") + (context == "*" ? "[^-]*" : "'" + context + "'");
  return out;
}

std::string cases(std::span<const CompletedPlace> places) {
  std::string out;
  for (const CompletedPlace& place : places) {
    if (place.words.empty() && place.completion == Completion::none) continue;
    fmt::format_to(std::back_inserter(out), "    ({})", pattern(place.contexts));
    if (!place.words.empty())
      fmt::format_to(std::back_inserter(out), " compadd -- {};", fmt::join(place.words, " "));
    fmt::format_to(std::back_inserter(out), " {} ;;\n", offer(place.completion));
  }
  return out;
}

constexpr std::string_view dynamic = R"(
_mq_profiles() {{
  compadd -- ${{XDG_CONFIG_HOME:-$HOME/.config}}/mq/*.toml(N:t:r)
}}

_mq_interfaces() {{
  compadd -- /sys/class/net/*(N:t)
}}
)";

/// The words of an option that takes several are those since its name.
constexpr std::string_view body = R"(
{0}() {{
  local curcontext=$curcontext context state state_descr line command word
  local -a specifications
  local -i n left
  typeset -A opt_args
{1}  while (( n = ${{words[(i)user-property]}}, n < CURRENT - 1 )); do
    words[n,n+1]=(property)  # it has a name and a value: one word more than the others
    (( CURRENT-- ))
  done
{2}{3}  _arguments -C -s $specifications && return
  case $state in
    (arguments) context="${{(j. .)line[1,-2]}}" ;;
    (--*)
      context=$state
      if [[ $words[CURRENT] != -?* ]]; then
        for (( n = CURRENT - 1; n > 1; --n )); do [[ $words[n] == -* ]] && break; done
        context="${{(j. .)words[n,CURRENT-1]}}"
      fi
      ;;
  esac
  case $context in
{4}  esac
}}
)";

constexpr std::string_view dispatch = R"(  if (( CURRENT > 2 )) && [[ $words[2] == ({}) ]]; then
    shift words
    (( CURRENT-- ))
    _{}_$words[1]
    return
  fi
)";

std::string script(const Options& options) {
  const auto [program, command] = program_words(options);
  const std::vector<CompletedPlace> places = completed_places(options);
  const auto& commands = options.program().commands;
  std::string out;
  if (command.empty()) {
    out += fmt::format("#compdef {0}\n# Completion of {0} in zsh, made by {0} --print-docs=zsh.\n", program);
    out += fmt::format(dynamic);
  }
  out += fmt::format(body, function_name(options),
                     commands.empty() ? "" : fmt::format(dispatch, fmt::join(commands, "|"), program),
                     search(options), specifications(options, places), cases(places));
  return out;
}

}  // namespace
}  // namespace mq::in_zsh

std::string mq::zsh_completion(const Options& options) { return in_zsh::script(options); }
