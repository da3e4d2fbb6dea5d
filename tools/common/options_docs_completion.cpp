#include "common/options_docs_completion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mq {
namespace {

using Places = std::vector<CompletedPlace>;

/// "publish", "content-type" of "publish content-type".
std::pair<std::string, std::string> cut_last_word(const std::string& line) {
  const std::size_t space = line.rfind(' ');
  if (space == std::string::npos) return {"", line};
  return {line.substr(0, space), line.substr(space + 1)};
}

CompletedPlace& place_behind(Places& places, const OptionRecord& record,
                             const std::vector<std::string>& contexts) {
  const auto found = std::ranges::find(places, contexts, &CompletedPlace::contexts);
  if (found != places.end()) return *found;
  return places.emplace_back(CompletedPlace{&record, contexts, {}});
}

std::vector<std::string> suggestions_of(const OptionRecord& record) {
  return record.suggestions ? record.suggestions() : std::vector<std::string>{};
}

void add_option(Places& places, const OptionRecord& record) {
  CompletedPlace& first = place_behind(places, record, record.names);
  first.words = record.choices;
  first.completion = record.completion;
  for (const std::string& line : suggestions_of(record))
    for (std::size_t end = 0; end <= line.size(); ++end) {  // each word behind those before it
      end = std::min(line.find(' ', end), line.size());
      const auto [before, word] = cut_last_word(line.substr(0, end));
      std::vector<std::string> contexts = record.names;
      for (std::string& context : contexts) context += before.empty() ? "" : " " + before;
      std::vector<std::string>& words = place_behind(places, record, contexts).words;
      if (std::ranges::find(words, word) == words.end()) words.push_back(word);
    }
}

void add_first_argument(Places& places, const OptionRecord& record) {
  CompletedPlace& place = place_behind(places, record, {""});
  place.words = suggestions_of(record);
  place.completion = record.completion;
  if (record.repeats) place.contexts.emplace_back("*");
}

void add_later_argument(Places& places, const OptionRecord& record) {
  for (const std::string& line : suggestions_of(record)) {
    const auto [before, word] = cut_last_word(line);
    place_behind(places, record, {before}).words.push_back(word);
  }
  for (const std::string& command : record.completion_behind)
    place_behind(places, record, {command}).completion = record.completion;
}

}  // namespace

Places completed_places(const Options& options) {
  Places places;
  for (const OptionRecord* record : completed_options(options))
    if (record->kind != ValueKind::none) add_option(places, *record);
  bool is_first = true;
  for (const Option& option : options.all())
    if (option.record().positional && std::exchange(is_first, false))
      add_first_argument(places, option.record());
    else if (option.record().positional)
      add_later_argument(places, option.record());
  if (is_first && !options.program().commands.empty()) places.push_back({nullptr, {""}, {}});
  for (CompletedPlace& place : places)
    if (place.contexts.front().empty())
      std::ranges::copy(options.program().commands, std::back_inserter(place.words));
  return places;
}

std::vector<const OptionRecord*> completed_options(const Options& options) {
  std::vector<const OptionRecord*> shown;
  for (const Option& option : options.all())
    if (!option.record().hidden && !option.record().positional) shown.push_back(&option.record());
  return shown;
}

std::vector<TakenOptions> options_by_commands(const Options& options) {
  std::vector<TakenOptions> all{{}};
  for (const OptionRecord* record : completed_options(options)) {
    auto found = std::ranges::find(all, record->commands, &TakenOptions::commands);
    if (found == all.end()) found = all.insert(found, {record->commands, {}});
    found->options.push_back(record);
  }
  return all;
}

std::size_t values_behind(const OptionRecord& record) {
  if (record.kind == ValueKind::none || record.implied) return 0;
  return static_cast<std::size_t>(1 + std::ranges::count(record.metavar, ' '));
}

std::string function_name(const Options& options) {
  std::string name = "_" + options.program().name;
  std::ranges::replace(name, ' ', '_');
  return name;
}

ProgramWords program_words(const Options& options) {
  const std::string& name = options.program().name;
  const std::size_t space = std::min(name.find(' '), name.size());
  return {name.substr(0, space), name.substr(std::min(space + 1, name.size()))};
}

std::string_view brief_text(const OptionRecord& record) {
  std::string_view text = record.text;
  for (const std::string_view end : {"; ", ". ", " ("}) text = text.substr(0, text.find(end));
  return text;
}

std::string quoted_words(const std::vector<std::string>& words) {
  return fmt::format("'{}'", fmt::join(words, " "));
}

}  // namespace mq
