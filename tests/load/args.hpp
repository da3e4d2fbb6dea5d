#pragma once
#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace load {

/// An option of a scenario: `--name VALUE`, always with a default.
struct Option {
  std::string_view name;
  std::string_view value;
};

/// The options of one run, the defaults filled in.
class Args {
 public:
  /// Errors: one line about the first word that is no option with a value.
  [[nodiscard]] static std::expected<Args, std::string> parse(std::vector<Option> known, int argc,
                                                              char** argv);

  /// A number of a known option. Text that is not a number ends the program: it is a test's typing error.
  [[nodiscard]] std::uint64_t number(std::string_view name) const;
  [[nodiscard]] double real(std::string_view name) const;
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name) const { return number(name) != 0; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace load
