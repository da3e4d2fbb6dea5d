#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/options_docs_completion.hpp"

// Completion for bash, with the functions of the package bash-completion.

namespace mq::in_bash {
namespace {

/// Of options: "-q | --qos".
std::string pattern(const std::vector<std::string>& contexts) {
  std::string out;
  for (const std::string& context : contexts) {
    const bool plain = context.find(' ') == std::string::npos && !context.empty();
    // An option that is no place of its own is no argument.
    const std::string one = context == "*" ? "[!-]*" : plain ? context : "'" + context + "'";
    out += out.empty() ? one : " | " + one;
  }
  return out;
}

std::string_view offer(Completion completion) {
  switch (completion) {
    case Completion::none: return "";
    case Completion::file: return " _filedir;";
    case Completion::directory: return " _filedir -d;";
    case Completion::profile: return " _mq_profiles;";
    case Completion::interface: return " _mq_interfaces;";
    case Completion::variable: return " COMPREPLY+=($(compgen -A export -- \"$cur\"));";
  }
  return "";
}

void append_place(std::string& out, const CompletedPlace& place) {
  if (place.words.empty() && place.completion == Completion::none) return;
  fmt::format_to(std::back_inserter(out), "        {})", pattern(place.contexts));
  if (!place.words.empty())
    fmt::format_to(std::back_inserter(out), " COMPREPLY+=($(compgen -W {} -- \"$cur\"));",
                   quoted_words(place.words));
  fmt::format_to(std::back_inserter(out), "{} ;;\n", offer(place.completion));
}

/// Cases by how many values an option takes behind it.
std::string counts(const Options& options) {
  std::vector<std::string> one;
  std::string out;
  for (const OptionRecord* record : completed_options(options)) {
    const std::size_t count = values_behind(*record);
    if (count == 1) std::ranges::copy(record->names, std::back_inserter(one));
    if (count > 1) out += fmt::format("                {}) left={} ;;\n", pattern(record->names), count);
  }
  if (!one.empty()) out = fmt::format("                {}) left=1 ;;\n", pattern(one)) + out;
  return out;
}

std::string names_of(const std::vector<const OptionRecord*>& records) {
  std::vector<std::string> names;
  for (const OptionRecord* record : records)
    for (const std::string& name : record->names) {
      names.push_back(name);
      if (record->implied && name.starts_with("--")) names.push_back(name + "=");
    }
  return quoted_words(names);
}

/// Those that all commands take, then those of the command; before there is one, of any.
std::string offer_names(const Options& options) {
  std::string out;
  for (const auto& [commands, records] : options_by_commands(options))
    if (commands.empty())
      out += fmt::format("        names={}\n", names_of(records));
    else
      out += fmt::format("        [[ ${{arguments%% *}} == @(|{}) ]] && names+=\" \"{}\n",
                         fmt::join(commands, "|"), names_of(records));
  return out;
}

constexpr std::string_view dynamic = R"(
_mq_profiles()
{
    mapfile -t COMPREPLY < <(cd -- "${XDG_CONFIG_HOME:-$HOME/.config}/mq" 2>/dev/null && compgen -f -X '!*.toml' -- "$cur")
    COMPREPLY=("${COMPREPLY[@]%.toml}")
    compopt -o filenames  # quotes what needs quotes
}

_mq_interfaces()
{
    COMPREPLY+=($(cd /sys/class/net && compgen -f -- "$cur"))
}
)";

constexpr std::string_view start = R"(
{0}()
{{
    local cur prev words cword split
    _init_completion -s || return
{1}    {0}_words {2}
}}
)";

constexpr std::string_view dispatch = R"(    case $cword,${{words[1]}} in
        1,*) ;;
        *,{}) {}_${{words[1]}}_words 2; return ;;
    esac
)";

/// `context` is as in CompletedPlace. A property of the user's has a name and a value of its own.
constexpr std::string_view body = R"(
{0}_words()
{{
    local word option= arguments= context left=0 joined= names n
    for word in "${{words[@]:$1:cword-$1}}"; do
        if ((left)); then
            option+=" $word" left=$((left - 1))
            [[ $option == *' user-property' ]] && left=2
        elif [[ $word == -?* ]]; then
            option=$word
            case $word in
{1}                *) left=0 ;;
            esac
        else
            arguments+=${{arguments:+ }}$word
        fi
    done
    context=$arguments
    if ((left)); then
        context=$option
    elif $split; then
        context=$prev
    elif [[ $cur == -[!-]?* ]]; then
        joined=${{cur:0:2}} context=${{cur:0:2}} cur=${{cur:2}}
    elif [[ $cur == -* ]]; then
{2}        COMPREPLY=($(compgen -W "$names" -- "$cur"))
        [[ ${{COMPREPLY[0]-}} == *= ]] && compopt -o nospace
        return
    fi
    case $context in
{3}    esac
    for n in "${{!COMPREPLY[@]}}"; do COMPREPLY[n]=$joined${{COMPREPLY[n]}}; done
}}
)";

std::string script(const Options& options) {
  const auto [program, command] = program_words(options);
  std::string out, places;
  for (const CompletedPlace& place : completed_places(options)) append_place(places, place);
  if (command.empty()) {
    const std::string name = function_name(options);
    const auto& commands = options.program().commands;
    const std::string choice =
        commands.empty() ? "" : fmt::format(dispatch, fmt::join(commands, " | *,"), name);
    out += fmt::format("# Completion of {0} in bash, made by {0} --print-docs=bash.\n", program);
    out += dynamic;
    out += fmt::format(start, name, choice, 1);
  }
  out += fmt::format(body, function_name(options), counts(options), offer_names(options), places);
  if (command.empty()) out += fmt::format("\ncomplete -F _{0} {0}\n", program);
  return out;
}

}  // namespace
}  // namespace mq::in_bash

std::string mq::bash_completion(const Options& options) { return in_bash::script(options); }
