#include "args.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

namespace load {
namespace {

template <class T>
T parse_number(std::string_view name, const std::string& text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc{} && rest == end) return value;
  fmt::print(stderr, "mqload: --{} is not a number: {}\n", name, text);
  std::exit(2);
}

}  // namespace

std::expected<Args, std::string> Args::parse(std::vector<Option> known, int argc, char** argv) {
  Args args;
  for (const Option& option : known) args.values_.emplace(option.name, option.value);
  for (int i = 0; i < argc; i += 2) {
    const std::string_view word = argv[i];
    const auto entry = word.starts_with("--") ? args.values_.find(word.substr(2)) : args.values_.end();
    if (entry == args.values_.end()) return std::unexpected(fmt::format("no such option here: {}", word));
    if (i + 1 == argc) return std::unexpected(fmt::format("{} needs a value", word));
    entry->second = argv[i + 1];
  }
  return args;
}

std::uint64_t Args::number(std::string_view name) const {
  return parse_number<std::uint64_t>(name, text(name));
}

double Args::real(std::string_view name) const { return parse_number<double>(name, text(name)); }

const std::string& Args::text(std::string_view name) const { return values_.find(name)->second; }

}  // namespace load
