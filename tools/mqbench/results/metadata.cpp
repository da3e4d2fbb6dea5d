#include "mqbench/results/metadata.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

namespace mq::bench::results {
namespace {

using ResultPointers = std::span<const StoredResult* const>;

struct Subject {
  Circumstance circumstance;
  Fields StoredResult::* section;
  std::string_view prefix;
  std::string_view field;
};

constexpr std::array subjects{
    Subject{Circumstance::machine, &StoredResult::machine, "machine", "host"},
    Subject{Circumstance::machine, &StoredResult::machine, "machine", "cpu"},
    Subject{Circumstance::machine, &StoredResult::machine, "machine", "processors"},
    Subject{Circumstance::machine, &StoredResult::machine, "machine", "governor"},
    Subject{Circumstance::machine, &StoredResult::machine, "machine", "clock_source"},
    Subject{Circumstance::kernel, &StoredResult::machine, "machine", "kernel"},
    Subject{Circumstance::protocol, &StoredResult::broker, "broker", "version"},
    Subject{Circumstance::protocol, &StoredResult::broker, "broker", "tls_version"},
    Subject{Circumstance::protocol, &StoredResult::broker, "broker", "tls_cipher"},
    Subject{Circumstance::tool, &StoredResult::tool, "tool", "version"},
    Subject{Circumstance::tool, &StoredResult::tool, "tool", "threads"},
};

std::vector<std::string> distinct(const std::vector<std::string>& values) {
  std::vector<std::string> once;
  for (const std::string& value : values)
    if (std::ranges::find(once, value) == once.end()) once.push_back(value);
  return once;
}

void add_if_different(ResultPointers results, const Subject& subject, std::vector<Difference>& found) {
  std::vector<std::string> values;
  for (const StoredResult* result : results) {
    const Field* field = find_field(result->*subject.section, subject.field);
    values.push_back(field ? field->text : "none");
  }
  if (auto once = distinct(values); once.size() > 1)
    found.push_back({.circumstance = subject.circumstance,
                     .name = fmt::format("{}.{}", subject.prefix, subject.field),
                     .values = std::move(once)});
}

void add_scenario(ResultPointers results, std::vector<Difference>& found) {
  std::set<std::string> names;
  for (const StoredResult* result : results)
    for (const Field& field : result->scenario) names.insert(field.name);
  names.erase("seed");
  for (const std::string& name : names) {
    const bool address = is_of_place(name) && name != "sources";
    const Circumstance circumstance = address ? Circumstance::broker : Circumstance::scenario;
    add_if_different(results, {circumstance, &StoredResult::scenario, "scenario", name}, found);
  }
}

}  // namespace

std::string_view to_string(Circumstance circumstance) {
  switch (circumstance) {
    case Circumstance::scenario: return "scenario";
    case Circumstance::machine: return "machine";
    case Circumstance::kernel: return "kernel";
    case Circumstance::protocol: return "protocol";
    case Circumstance::broker: return "broker";
    default: return "tool";
  }
}

std::vector<Difference> find_differences(ResultPointers results) {
  std::vector<Difference> found;
  add_scenario(results, found);
  for (const Subject& subject : subjects) add_if_different(results, subject, found);
  return found;
}

std::string describe(const Difference& difference) {
  return fmt::format("{} ({})", difference.name, fmt::join(difference.values, ", "));
}

}  // namespace mq::bench::results
