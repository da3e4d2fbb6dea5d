#include <mqtt/util/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include <mqtt/util/utf8.hpp>

namespace mqtt {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 7> time_units{
    {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}}};

constexpr double kib = 1024, mib = kib * kib, gib = mib * kib;
constexpr std::array<Unit, 13> size_units{{{"", 1},
                                           {"B", 1},
                                           {"K", kib},
                                           {"k", kib},
                                           {"KiB", kib},
                                           {"kB", 1e3},
                                           {"M", mib},
                                           {"MiB", mib},
                                           {"MB", 1e6},
                                           {"G", gib},
                                           {"GiB", gib},
                                           {"GB", 1e9},
                                           {"KB", 1e3}}};

/// A plain decimal number at the front of `text`; what follows it stays in `text`.
std::optional<double> take_decimal(std::string_view& text) {
  const std::size_t length = std::min(text.find_first_not_of("0123456789."), text.size());
  if (length == 0 || text[0] == '.') return std::nullopt;
  double value = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + length, value, std::chars_format::fixed);
  if (fault != std::errc{} || end != text.data() + length) return std::nullopt;
  text.remove_prefix(length);
  return value;
}

template <std::size_t N>
std::optional<double> scaled(std::string_view text, const std::array<Unit, N>& units, std::string_view bare) {
  const auto value = take_decimal(text);
  if (!value) return std::nullopt;
  const std::string_view name = text.empty() ? bare : text;
  const auto unit = std::ranges::find(units, name, &Unit::name);
  if (unit == units.end()) return std::nullopt;
  return *value * unit->factor;
}

std::string_view short_escape(char c) {
  switch (c) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '\x1b': return "\\e";
    case '\\': return "\\\\";
    default: return {};
  }
}

/// How many bytes at the front of `text` stand for themselves: most texts as a whole do.
std::size_t plain_length(std::string_view text) {
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7F && c != '\\'; };
  return static_cast<std::size_t>(std::ranges::find_if_not(text, plain) - text.begin());
}

/// Length of the printable character at the front of `text`: 0 if it must be escaped.
std::size_t printable_length(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  if (lead < 0x80) return lead >= 0x20 && lead != 0x7F ? 1 : 0;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (text.size() < length || !is_mqtt_utf8(as_bytes(text.substr(0, length)))) return 0;
  const bool c1_control = lead == 0xC2 && static_cast<std::uint8_t>(text[1]) < 0xA0;
  return c1_control ? 0 : length;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const auto ns = scaled(text, time_units, "s");
  constexpr double longest_ns =
      4.6e18;  // 146 years, half of what the type holds: sums and doubles stay in it
  if (!ns || *ns > longest_ns) return std::nullopt;
  return Duration{std::llround(*ns)};
}

std::string format_duration(Duration duration) {
  const auto ns = duration.count();
  constexpr std::array<std::pair<std::int64_t, std::string_view>, 3> scales{
      {{1'000'000'000, "s"}, {1'000'000, "ms"}, {1'000, "us"}}};
  for (const auto& [factor, name] : scales)
    if (std::abs(ns) >= factor)
      return fmt::format("{}{}", static_cast<double>(ns) / static_cast<double>(factor), name);
  return ns == 0 ? "0s" : fmt::format("{}ns", ns);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto size = scaled(text, size_units, "");
  if (!size || *size > 9.2e18) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(*size));
}

std::string escape_for_terminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (const std::size_t length = plain_length(text)) {
      out += text.substr(0, length);
      text.remove_prefix(length);
    } else if (const auto escape = short_escape(text[0]); !escape.empty()) {
      out += escape;
      text.remove_prefix(1);
    } else if (const std::size_t bytes = printable_length(text)) {
      out += text.substr(0, bytes);
      text.remove_prefix(bytes);
    } else {
      out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text[0]));
      text.remove_prefix(1);
    }
  }
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace mqtt
