#include "common/template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include <mqtt/util/text.hpp>

namespace mq {
namespace {

using Fault = std::unexpected<std::string>;

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";

std::size_t decimals_of(std::string_view number) {
  const std::size_t point = number.find('.');
  return point == std::string_view::npos ? 0 : number.size() - point - 1;
}

/// "1.5" with two decimals is 150.
std::optional<std::int64_t> scaled(std::string_view number, std::size_t decimals) {
  std::string digits{number};
  const std::size_t have = decimals_of(number);
  std::erase(digits, '.');
  digits.append(decimals - have, '0');
  if (number.find('.') != number.rfind('.') || number.ends_with('.')) return std::nullopt;
  return mqtt::parse_number<std::int64_t>(digits);
}

void append_scaled(std::string& out, std::int64_t value, unsigned decimals) {
  if (decimals == 0) return (void)fmt::format_to(std::back_inserter(out), "{}", value);
  if (value < 0) out.push_back('-');
  std::string digits = fmt::format(
      "{:0{}}", value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value),
      decimals + 1);
  digits.insert(digits.size() - decimals, ".");
  out += digits;
}

void append_uuid(std::string& out, std::mt19937_64& random) {
  const std::uint64_t high = (random() & ~0xF000ull) | 0x4000;        // version 4
  const std::uint64_t low = (random() & ~(3ull << 62)) | 2ull << 62;  // the RFC's variant
  fmt::format_to(std::back_inserter(out), "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32,
                 high >> 16 & 0xFFFF, high & 0xFFFF, low >> 48, low & 0xFFFF'FFFF'FFFF);
}

}  // namespace

std::expected<Template, std::string> Template::parse(std::string_view text) {
  Template made;
  std::string literal;
  const auto flush = [&] {
    if (!literal.empty()) made.parts_.push_back({.text = std::exchange(literal, {})});
  };
  while (!text.empty()) {
    const std::size_t brace = std::min(text.find('{'), text.size());
    literal += text.substr(0, brace);
    text.remove_prefix(brace);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.starts_with('{')) {
      literal += '{';
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find('}');
    const std::size_t name_end = std::min(text.find_first_not_of(letters), text.size());
    const bool is_field =
        name_end > 0 && end != std::string_view::npos && (text[name_end] == '}' || text[name_end] == ':');
    if (!is_field) {
      literal += '{';
      continue;
    }
    const bool has_argument = name_end < end;
    auto field =
        parse_field(text.substr(0, name_end),
                    has_argument ? text.substr(name_end + 1, end - name_end - 1) : std::string_view{});
    if (!field) return Fault(field.error());
    flush();
    made.parts_.push_back(std::move(*field));
    text.remove_prefix(end + 1);
  }
  flush();
  return made;
}

std::expected<Template::Part, std::string> Template::parse_field(std::string_view name,
                                                                 std::string_view argument) {
  const auto bad = [&] { return Fault(fmt::format("{{{}}} cannot take '{}'", name, argument)); };
  if (name == "random") return parse_range(argument);
  if (name == "seq") {
    const auto first =
        argument.empty() ? std::optional<std::int64_t>{1} : mqtt::parse_number<std::int64_t>(argument);
    if (!first || *first < 0) return bad();
    return Part{.kind = Kind::sequence, .from = *first};
  }
  if (name == "time" && !argument.empty()) {
    for (const auto& [unit, nanoseconds] : {std::pair<std::string_view, std::int64_t>{"s", 1'000'000'000},
                                            {"ms", 1'000'000},
                                            {"us", 1'000},
                                            {"ns", 1}})
      if (unit == argument) return Part{.kind = Kind::time_number, .from = nanoseconds};
    return bad();
  }
  for (const auto& [known, kind] : {std::pair<std::string_view, Kind>{"line", Kind::line},
                                    {"time", Kind::time_text},
                                    {"uuid", Kind::uuid}}) {
    if (name != known) continue;
    if (!argument.empty()) return bad();
    return Part{.kind = kind};
  }
  return Fault(fmt::format("there is no {{{}}}; there are seq, line, time, uuid and random", name));
}

std::expected<Template::Part, std::string> Template::parse_range(std::string_view argument) {
  constexpr std::size_t decimals_max = 9;
  const std::size_t dots = argument.find("..");
  if (dots == std::string_view::npos) return Fault("{random} needs its ends: {random:1..100}");
  const std::string_view first = argument.substr(0, dots), last = argument.substr(dots + 2);
  const std::size_t decimals = std::max(decimals_of(first), decimals_of(last));
  const auto from = decimals > decimals_max ? std::nullopt : scaled(first, decimals);
  const auto to = decimals > decimals_max ? std::nullopt : scaled(last, decimals);
  if (!from || !to || *from > *to)
    return Fault(fmt::format("'{}' is not a range such as 1..100 or 0.5..1.5", argument));
  return Part{.kind = Kind::random, .from = *from, .to = *to, .decimals = static_cast<unsigned>(decimals)};
}

bool Template::has_line() const { return std::ranges::find(parts_, Kind::line, &Part::kind) != parts_.end(); }

void Template::append(std::string& out, const TemplateValues& values, std::mt19937_64& random,
                      WallClockText& clock) const {
  for (const Part& part : parts_) {
    switch (part.kind) {
      case Kind::text: out += part.text; break;
      case Kind::sequence:
        out += std::to_string(static_cast<std::uint64_t>(part.from) + values.sequence - 1);
        break;
      case Kind::line: out += values.line; break;
      case Kind::time_text: out += clock.rfc3339(values.now); break;
      case Kind::time_number: out += std::to_string(values.now.time_since_epoch().count() / part.from); break;
      case Kind::uuid: append_uuid(out, random); break;
      case Kind::random:
        append_scaled(out, std::uniform_int_distribution<std::int64_t>{part.from, part.to}(random),
                      part.decimals);
        break;
    }
  }
}

}  // namespace mq
