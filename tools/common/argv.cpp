#include "common/argv.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/options.hpp"
#include "common/spelling.hpp"

namespace mq {
namespace {

class Cutter {
 public:
  Cutter(const std::vector<std::string>& arguments, const ArgumentRules& rules)
      : arguments_{arguments}, rules_{rules} {}

  CutArguments cut() {
    while (at_ < arguments_.size() && !result_.fault) cut_one();
    return std::move(result_);
  }

 private:
  void cut_one();
  void cut_long();
  void cut_cluster();
  void cut_positional();
  void begin(Option& option, std::string_view typed);
  void take_values();
  void take_value(std::size_t argument, std::size_t offset);
  void unknown(std::string_view name);
  void fault(std::string sentence) { result_.fault = std::move(sentence); }

  Occurrence& current() { return result_.occurrences.back(); }
  std::size_t wanted() { return rules_.wanted(*current().option, current().values); }

  const std::vector<std::string>& arguments_;
  const ArgumentRules& rules_;
  std::size_t at_ = 0;
  std::size_t positionals_ = 0;
  bool only_positionals_ = false;
  CutArguments result_;
};

void Cutter::cut_one() {
  const std::string& argument = arguments_[at_];
  if (only_positionals_ || argument.size() < 2 || argument[0] != '-') return cut_positional();
  if (argument[1] != '-') return cut_cluster();
  if (argument.size() > 2) return cut_long();
  only_positionals_ = true;
  ++at_;
}

void Cutter::cut_long() {
  const std::string& argument = arguments_[at_];
  const std::size_t equals = argument.find('=');
  const std::string name = argument.substr(0, equals);
  Option* option = rules_.lookup(name);
  if (!option) return unknown(name);
  begin(*option, name);
  if (equals != std::string::npos) {
    if (wanted() == 0) return fault(fmt::format("option '{}' takes no value", name));
    take_value(at_, equals + 1);
  } else if (option->record().implied) {
    current().values.push_back(*option->record().implied);
  }
  ++at_;
  take_values();
}

void Cutter::cut_cluster() {
  const std::string& argument = arguments_[at_];
  for (std::size_t i = 1; i < argument.size(); ++i) {
    const std::string name{'-', argument[i]};
    Option* option = rules_.lookup(name);
    if (!option) return rules_.lookup("-" + argument) ? unknown(argument) : unknown(name);
    begin(*option, name);
    if (wanted() == 0) continue;
    if (i + 1 < argument.size()) take_value(at_, i + 1);
    break;
  }
  ++at_;
  take_values();
}

void Cutter::cut_positional() {
  const bool room = positionals_ < rules_.positionals.size();
  if (!room) return fault(fmt::format("unexpected argument {}", in_quotes(arguments_[at_])));
  Option& option = *rules_.positionals[positionals_];
  if (!option.record().repeats) ++positionals_;
  begin(option, option.record().main_name());
  take_value(at_++, 0);
}

void Cutter::begin(Option& option, std::string_view typed) {
  result_.occurrences.push_back({&option, std::string{typed}, Source::command_line, {}, {}, {}});
}

void Cutter::take_value(std::size_t argument, std::size_t offset) {
  current().values.push_back(arguments_[argument].substr(offset));
  current().parts.push_back({argument, offset});
}

void Cutter::take_values() {
  for (std::size_t want = wanted(); current().values.size() < want; want = wanted()) {
    if (at_ < arguments_.size()) {
      take_value(at_++, 0);
      continue;
    }
    const std::string& typed = current().typed;
    if (want == 1) return fault(fmt::format("option '{}' needs a value", typed));
    return fault(
        fmt::format("option '{}' needs {} values: {}", typed, want, current().option->record().metavar));
  }
}

void Cutter::unknown(std::string_view name) {
  const std::string_view meant = closest_name(name, rules_.names);
  fault(meant.empty() ? fmt::format("unknown option {}", in_quotes(name))
                      : fmt::format("unknown option {}; did you mean '{}'?", in_quotes(name), meant));
}

}  // namespace

std::string name_as_given(const Occurrence& occurrence) {
  if (!occurrence.where.empty()) return fmt::format("{}: '{}'", occurrence.where, occurrence.typed);
  const bool typed = occurrence.source == Source::command_line;
  return fmt::format("{} '{}'", typed ? "option" : "environment variable", occurrence.typed);
}

std::optional<std::string> take_values(
    Occurrence& occurrence, std::string_view text,
    const std::function<std::size_t(std::span<const std::string>)>& wanted) {
  std::vector<std::string>& values = occurrence.values;
  const bool any = wanted(values) > 0;
  if (!any && !text.empty()) return name_as_given(occurrence) + " takes no value";
  for (std::size_t want = wanted(values); values.size() < want; want = wanted(values)) {
    // Only the last value may be empty, or hold spaces.
    const std::size_t end = values.size() + 1 < want ? text.find(' ') : text.size();
    if (end == std::string_view::npos)
      return fmt::format("{} needs {} values: {}", name_as_given(occurrence), want,
                         occurrence.option->record().metavar);
    values.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

CutArguments cut_arguments(const std::vector<std::string>& arguments, const ArgumentRules& rules) {
  return Cutter{arguments, rules}.cut();
}

}  // namespace mq
