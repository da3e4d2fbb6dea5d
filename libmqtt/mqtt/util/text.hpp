#pragma once
#include <charconv>
#include <concepts>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/util/time.hpp>

namespace mqtt {

/// A whole decimal number and nothing else: no sign for unsigned types, no space, no unit.
template <std::integral T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "250ms", "2s", "1.5m", "1h", "1d", "100us"; a bare number is seconds. Not negative.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

/// The shortest exact form that parse_duration reads back: "1.5s", "250ms", "1m30s" is written "90s".
[[nodiscard]] std::string format_duration(Duration duration);

/// "10", "64K", "64KiB", "1.5M", "1GiB", "100kB" (powers of 1000 only for kB, MB, GB): bytes.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// Text safe for one line of a terminal: control characters, and bytes that are not UTF-8, as "\xNN"
/// or "\n", "\r", "\t", "\e"; a backslash is doubled.
[[nodiscard]] std::string escape_for_terminal(std::string_view text);

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace mqtt
