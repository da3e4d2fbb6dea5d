#pragma once
#include <regex.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace mq {

/// A POSIX extended regular expression. It finds in bytes, whatever they are, up to any length.
class Regex {
 public:
  /// What is wrong is the library's own words.
  [[nodiscard]] static std::expected<Regex, std::string> compile(const std::string& pattern);

  [[nodiscard]] bool found_in(std::string_view text) const;

 private:
  struct Free {
    void operator()(regex_t* regex) const {
      ::regfree(regex);
      delete regex;
    }
  };
  explicit Regex(std::unique_ptr<regex_t, Free> compiled) : compiled_{std::move(compiled)} {}

  std::shared_ptr<regex_t> compiled_;
};

}  // namespace mq
