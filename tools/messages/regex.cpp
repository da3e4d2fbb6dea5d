#include "messages/regex.hpp"

#include <array>

namespace mq {

std::expected<Regex, std::string> Regex::compile(const std::string& pattern) {
  auto plain = std::make_unique<regex_t>();
  // A pattern that ends early at a NUL would be another one.
  if (pattern.find('\0') != std::string::npos) return std::unexpected("a NUL cannot stand in it");
  const int fault = ::regcomp(plain.get(), pattern.c_str(), REG_EXTENDED | REG_NOSUB);
  if (fault == 0) return Regex{std::unique_ptr<regex_t, Free>{plain.release()}};
  std::array<char, 128> words{};
  ::regerror(fault, plain.get(), words.data(), words.size());
  return std::unexpected(std::string{words.data()});
}

bool Regex::found_in(std::string_view text) const {
  // By length, because a NUL may stand in it: glibc's and the BSDs' REG_STARTEND. They read no further, but
  // what checks their callers' memory looks for a NUL all the same, and a copy has one.
  const std::string terminated{text};
  regmatch_t range{.rm_so = 0, .rm_eo = static_cast<regoff_t>(terminated.size())};
  return ::regexec(compiled_.get(), terminated.c_str(), 0, &range, REG_STARTEND) == 0;
}

}  // namespace mq
