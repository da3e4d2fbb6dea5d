#include "mqbench/command_line.hpp"

#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

#include <string_view>

namespace mq::bench {
namespace {

/// As a shell takes it.
std::string in_shell_quotes(std::string_view word) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_";
  if (!word.empty() && word.find_first_not_of(plain) == word.npos) return std::string{word};
  std::string quoted{"'"};
  for (const char c : word) quoted += c == '\'' ? std::string{R"('\'')"} : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string command_line(int argc, char** argv) {
  std::string line;
  for (int n = 0; n < argc; ++n) line.append(n == 0 ? "" : " ").append(in_shell_quotes(argv[n]));
  return mqtt::is_mqtt_utf8(mqtt::as_bytes(line)) ? line : mqtt::escape_for_terminal(line);
}

}  // namespace mq::bench
