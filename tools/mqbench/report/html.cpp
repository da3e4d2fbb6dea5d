#include "mqbench/report/html.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace mq::bench::report {
namespace {

/// Three significant digits, and no exponent.
std::string three_digits(double value) {
  const double size = std::abs(value);
  return fmt::format("{:.{}f}", value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

std::string grouped(std::string digits) {
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = digits.size(); at > sign + 3;) digits.insert(at -= 3, ",");
  return digits;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char each : text) switch (each) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += each;
    }
  return out;
}

std::string shown_time(double ns) {
  if (ns >= 999.5e6) return three_digits(ns / 1e9) + " s";
  if (ns >= 999.5e3) return three_digits(ns / 1e6) + " ms";
  if (ns >= 999.5) return three_digits(ns / 1e3) + " µs";
  return fmt::format("{:.0f} ns", ns);
}

std::string shown_number(double value) {
  if (value == std::floor(value) || std::abs(value) >= 1'000) return grouped(fmt::format("{:.0f}", value));
  return std::abs(value) < 0.995 ? fmt::format("{:.3g}", value) : three_digits(value);
}

std::string shown_bytes(double bytes) {
  constexpr std::array units{"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1'000 && unit + 1 < units.size()) bytes /= 1'000, ++unit;
  return (unit == 0 ? fmt::format("{:.0f}", bytes) : three_digits(bytes)) + " " + units[unit];
}

std::string exact(double value) { return fmt::format("{}", value); }

}  // namespace mq::bench::report
