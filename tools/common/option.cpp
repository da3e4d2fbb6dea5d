#include "common/option.hpp"

#include <algorithm>
#include <utility>

namespace mq {

const std::string& OptionRecord::main_name() const {
  const auto found =
      std::ranges::find_if(names, [](const std::string& name) { return name.starts_with("--"); });
  return found == names.end() ? names.front() : *found;
}

bool OptionRecord::is_taken_by(std::string_view command) const {
  return commands.empty() || std::ranges::find(commands, command) != commands.end();
}

Option::Option(OptionRecord record, Keep keep, Wanted wanted)
    : record_{std::move(record)}, keep_{std::move(keep)}, wanted_{std::move(wanted)} {}

Option& Option::metavar(std::string_view name) {
  record_.metavar = name;
  return *this;
}

Option& Option::file() { return metavar("FILE").completes(Completion::file); }

Option& Option::directory() { return metavar("DIR").completes(Completion::directory); }

Option& Option::completes(Completion what, std::initializer_list<std::string_view> behind) {
  record_.completion = what;
  record_.completion_behind.assign(behind.begin(), behind.end());
  return *this;
}

Option& Option::suggests(std::function<std::vector<std::string>()> words) {
  record_.suggestions = std::move(words);
  return *this;
}

Option& Option::group(std::string_view name) {
  record_.group = name;
  return *this;
}

Option& Option::text(std::string_view sentence) {
  record_.text = sentence;
  return *this;
}

Option& Option::default_text(std::string_view shown) {
  record_.default_text = shown;
  return *this;
}

Option& Option::implied(std::string_view value) {
  record_.implied = value;
  return *this;
}

Option& Option::env(std::string_view variable) {
  record_.environment = variable;
  return *this;
}

Option& Option::example(std::string_view usage) {
  record_.examples.emplace_back(usage);
  return *this;
}

Option& Option::excludes(std::initializer_list<std::string_view> names) {
  record_.excludes.insert(record_.excludes.end(), names.begin(), names.end());
  return *this;
}

Option& Option::needs(std::initializer_list<std::string_view> names) {
  record_.needs.insert(record_.needs.end(), names.begin(), names.end());
  return *this;
}

Option& Option::hidden() {
  record_.hidden = true;
  return *this;
}

Option& Option::kind(ValueKind kind) {
  record_.kind = kind;
  return *this;
}

Option& Option::repeats() {
  record_.repeats = true;
  return *this;
}

Option& Option::typed_only() {
  record_.typed_only = true;
  return *this;
}

Option& Option::must(std::function<ValueResult(std::string_view)> check) {
  keep_ = [check = std::move(check), keep = std::move(keep_)](Values values) -> ValueResult {
    for (const std::string& value : values)
      if (auto fine = check(value); !fine) return fine;
    return keep(values);
  };
  return *this;
}

Option& Option::secret() {
  return secret([](std::string_view value) { return std::vector<Part>{{0, value.size()}}; });
}

Option& Option::secret(SecretParts parts) {
  record_.secret = true;
  secret_parts_ = std::move(parts);
  return *this;
}

}  // namespace mq
