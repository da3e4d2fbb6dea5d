#pragma once
#include <array>
#include <string>
#include <string_view>

#include "fuzz/session_input.hpp"

namespace mqtt::test {

/// Topic names and filters out of bytes: few and short, so that they meet often.
inline std::string take_topic_name(fuzz::Input& input) {
  constexpr std::array<std::string_view, 6> levels{"a", "b", "", "$s", "fourteen bytes", "fifteen bytes.."};
  std::string text;
  for (unsigned left = input.byte() % 5u;; --left) {
    text += levels[input.byte() % levels.size()];
    if (left == 0) break;
    text += '/';
  }
  return text.empty() ? "/" : text;
}

/// Not a shared one.
inline std::string take_filter(fuzz::Input& input) {
  constexpr std::array<std::string_view, 8> levels{
      "+", "a", "+", "b", "", "$s", "fourteen bytes", "fifteen bytes.."};
  const unsigned shape = input.byte();
  std::string text;
  for (unsigned left = shape % 5; left > 0; --left) text.append(levels[input.byte() % levels.size()]) += '/';
  text += shape & 0x80 ? "#" : levels[input.byte() % levels.size()];
  return text.empty() ? "/" : text;
}

/// Sometimes a shared one.
inline std::string take_subscription_filter(fuzz::Input& input) {
  constexpr std::array<std::string_view, 6> prefixes{"", "", "", "$share/g/", "$share/h/", "$share/a/"};
  const std::string_view prefix = prefixes[input.byte() % prefixes.size()];
  return std::string{prefix} + take_filter(input);
}

}  // namespace mqtt::test
