#include "common/relations.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>

namespace mq {
namespace {

/// The declared options as CLI11 sees them: names and relations, no values.
class Relations {
 public:
  explicit Relations(const std::deque<Option>& options) {
    app_.set_help_flag();
    for (const Option& option : options) declare(option);
    for (const Option& option : options) relate(option.record());
  }

  /// True if CLI11 accepts the options together.
  bool accept(std::span<const Occurrence> occurrences) {
    std::vector<std::string> names;
    for (const Occurrence& occurrence : occurrences)
      if (!occurrence.option->record().positional) names.push_back(occurrence.option->record().main_name());
    try {
      app_.parse(std::move(names));
      return true;
    } catch (const CLI::ParseError&) {
      return false;
    }
  }

  /// Two given options of which one excludes the other.
  std::optional<std::pair<const Option*, const Option*>> clash() {
    for (const auto& [option, declared] : declared_)
      for (CLI::Option* other : declared->get_excludes())
        if (declared->count() > 0 && other->count() > 0) return std::pair{option, owner(other)};
    return std::nullopt;
  }

  /// A given option and one that it needs and that is not given.
  std::optional<std::pair<const Option*, const Option*>> lack() {
    for (const auto& [option, declared] : declared_)
      for (CLI::Option* other : declared->get_needs())
        if (declared->count() > 0 && other->count() == 0) return std::pair{option, owner(other)};
    return std::nullopt;
  }

 private:
  void declare(const Option& option) {
    if (option.record().positional) return;
    declared_.emplace_back(&option, app_.add_flag(fmt::format("{}", fmt::join(option.record().names, ","))));
  }

  void relate(const OptionRecord& record) {
    if (record.positional) return;
    CLI::Option* option = app_.get_option(record.main_name());
    for (const std::string& name : record.excludes) option->excludes(app_.get_option(name));
    for (const std::string& name : record.needs) option->needs(app_.get_option(name));
  }

  const Option* owner(const CLI::Option* wanted) {
    return std::ranges::find(declared_, wanted, &Declared::second)->first;
  }

  using Declared = std::pair<const Option*, CLI::Option*>;
  CLI::App app_;
  std::vector<Declared> declared_;
};

/// As it was typed, or the variable that brought it.
std::string typed_name(const Option& option, std::span<const Occurrence> occurrences) {
  const auto given = std::ranges::find(occurrences, &option, &Occurrence::option);
  if (given == occurrences.end()) return fmt::format("option '{}'", option.record().main_name());
  const bool typed = given->source == Source::command_line;
  return fmt::format("{} '{}'", typed ? "option" : "environment variable", given->typed);
}

}  // namespace

std::optional<std::string> broken_relation(const std::deque<Option>& options,
                                           std::span<const Occurrence> occurrences) {
  Relations relations{options};
  if (relations.accept(occurrences)) return std::nullopt;
  if (const auto pair = relations.clash())
    return fmt::format("{} cannot be used together with {}", typed_name(*pair->first, occurrences),
                       typed_name(*pair->second, occurrences));
  if (const auto pair = relations.lack())
    return fmt::format("{} needs {}", typed_name(*pair->first, occurrences),
                       typed_name(*pair->second, occurrences));
  return "these options cannot be used together";
}

}  // namespace mq
