#include "common/options_docs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mq {

std::string print_docs(const Options& options, Docs kind) {
  switch (kind) {
    case Docs::man: return man_options(options);
    case Docs::bash: return bash_completion(options);
    case Docs::fish: return fish_completion(options);
    case Docs::zsh: return zsh_completion(options);
    case Docs::json: return json_records(options);
  }
  return {};
}

std::string value_name(const OptionRecord& record) {
  constexpr std::size_t joined_max = 16;
  if (!record.metavar.empty()) return record.metavar;
  switch (record.kind) {
    case ValueKind::none: return {};
    case ValueKind::number: return "N";
    case ValueKind::duration: return "DURATION";
    case ValueKind::size: return "SIZE";
    case ValueKind::text:
    case ValueKind::tuple: return "TEXT";
    case ValueKind::choice: break;
  }
  const std::string joined = fmt::format("{}", fmt::join(record.choices, "|"));
  return joined.size() <= joined_max ? joined : "WORD";
}

std::string_view group_of(const OptionRecord& record) {
  if (!record.group.empty()) return record.group;
  return record.positional ? "Arguments" : "Options";
}

std::vector<std::string_view> groups_of(const std::deque<Option>& options) {
  std::vector<std::string_view> groups;
  for (const Option& option : options) {
    const std::string_view group = group_of(option.record());
    if (!option.record().hidden && std::ranges::find(groups, group) == groups.end()) groups.push_back(group);
  }
  std::ranges::rotate(groups, groups.begin() + 1);
  return groups;
}

}  // namespace mq
