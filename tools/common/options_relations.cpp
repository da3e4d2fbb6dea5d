#include "common/options_relations.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace mq {
namespace {

using Pair = std::pair<const Option*, const Option*>;

bool is_named(const Option& option, std::string_view name) {
  return std::ranges::find(option.record().names, name) != option.record().names.end();
}

/// The given options, and those that they need, as CLI11 sees them: names and relations, no values.
/// The other options do not matter, and sixty of them would cost more than all else in a short run.
class Relations {
 public:
  Relations(const std::deque<Option>& options, std::span<const Occurrence> given) {
    app_.set_help_flag();
    for (const Occurrence& occurrence : given) declare(*occurrence.option);
    for (const Occurrence& occurrence : given)
      for (const std::string& name : occurrence.option->record().needs)
        declare(*std::ranges::find_if(options, [&](const Option& option) { return is_named(option, name); }));
    for (const auto& [option, declared] : declared_) relate(option->record(), declared);
  }

  /// True if CLI11 accepts the options together.
  bool accept(std::span<const Occurrence> given) {
    std::vector<std::string> names;
    for (const Occurrence& occurrence : given)
      if (!occurrence.option->record().positional) names.push_back(occurrence.option->record().main_name());
    try {
      app_.parse(std::move(names));
      return true;
    } catch (const CLI::ParseError&) {
      return false;
    }
  }

  /// Two given options of which one excludes the other.
  std::optional<Pair> clash() const {
    return find_pair([](const CLI::Option& option, CLI::Option* other) {
      return option.count() > 0 && other->count() > 0 && option.get_excludes().contains(other);
    });
  }

  /// A given option and one that it needs and that is not given.
  std::optional<Pair> lack() const {
    return find_pair([](const CLI::Option& option, CLI::Option* other) {
      return option.count() > 0 && other->count() == 0 && option.get_needs().contains(other);
    });
  }

 private:
  void declare(const Option& option) {
    if (option.record().positional ||
        std::ranges::find(declared_, &option, &Declared::first) != declared_.end())
      return;
    declared_.emplace_back(&option, app_.add_flag(fmt::format("{}", fmt::join(option.record().names, ","))));
  }

  void relate(const OptionRecord& record, CLI::Option* declared) {
    for (const auto& [other, other_declared] : declared_) {
      const auto names_other = [&](const std::string& name) { return is_named(*other, name); };
      if (std::ranges::any_of(record.excludes, names_other)) declared->excludes(other_declared);
      if (std::ranges::any_of(record.needs, names_other)) declared->needs(other_declared);
    }
  }

  template <class Matches>
  std::optional<Pair> find_pair(Matches matches) const {
    for (const auto& [option, declared] : declared_)
      for (const auto& [other, other_declared] : declared_)
        if (matches(*declared, other_declared)) return Pair{option, other};
    return std::nullopt;
  }

  using Declared = std::pair<const Option*, CLI::Option*>;
  CLI::App app_;
  std::vector<Declared> declared_;
};

std::string typed_name(const Option& option, std::span<const Occurrence> occurrences) {
  const auto given = std::ranges::find(occurrences, &option, &Occurrence::option);
  if (given == occurrences.end()) return fmt::format("option '{}'", option.record().main_name());
  return name_as_given(*given);
}

}  // namespace

std::optional<std::string> broken_relation(const std::deque<Option>& options,
                                           std::span<const Occurrence> occurrences) {
  Relations relations{options, occurrences};
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
