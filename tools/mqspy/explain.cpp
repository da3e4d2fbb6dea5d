#include "mqspy/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <vector>

#include <mqtt/codec/property.hpp>
#include <mqtt/codec/reason.hpp>
#include <mqtt/inspect/lint.hpp>
#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "mqspy/clause_table.hpp"

namespace mq::spy {
namespace {

using mqtt::PacketType;
using mqtt::Sender;
using mqtt::Version;

constexpr std::string_view severities[] = {"error", "warning", "info"};
constexpr unsigned types = 15;

/// Upper and lower case, and what stands between words, make no difference.
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '[' || c == ']') continue;
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '_' || c == ' ' ? '-' : c);
  }
  return out;
}

std::string folded_clause(std::string_view name) {
  std::string out = folded(name);
  return out.starts_with("mqtt-") ? out.substr(5) : out;
}

/// "135", "0x87"
std::optional<unsigned> number_of(std::string_view name) {
  if (!name.starts_with("0x") && !name.starts_with("0X")) return mqtt::parse_number<unsigned>(name);
  unsigned value = 0;
  const auto [end, fault] = std::from_chars(name.data() + 2, name.data() + name.size(), value, 16);
  return fault == std::errc{} && end == name.data() + name.size() ? std::optional{value} : std::nullopt;
}

std::string_view who_name(std::string_view who) {
  return who == "c" ? "client" : who == "s" ? "server" : "both sides";
}

bool lists(std::string_view ids, std::string_view id) {
  for (std::size_t at = ids.find(id); at != std::string_view::npos; at = ids.find(id, at + 1)) {
    const std::size_t end = at + id.size();
    if ((at == 0 || ids[at - 1] == ' ') && (end == ids.size() || ids[end] == ' ')) return true;
  }
  return false;
}

const mqtt::Rule* find_rule(std::string_view id, Version version) {
  for (const auto subject : mqtt::all_rules())
    for (const mqtt::Rule& rule : subject)
      if (lists(rule.clause.id(version), id)) return &rule;
  return nullptr;
}

/// What lint does about it.
std::string judged(std::string_view id, Version version) {
  if (const mqtt::Rule* rule = find_rule(id, version))
    return fmt::format("{}: {}", severities[static_cast<std::size_t>(rule->severity)], rule->text);
  for (const mqtt::Uncovered& u : mqtt::uncovered_clauses())
    if (lists(version == Version::v5 ? u.v5 : u.v3_1_1, id)) return fmt::format("no rule: {}", u.reason);
  return "no rule";
}

Version version_of(const ClauseText& clause) {
  return clause.version == "5.0" ? Version::v5 : Version::v3_1_1;
}

void explain_clauses(std::string& out, std::string_view name) {
  const std::string wanted = folded_clause(name);
  for (const ClauseText& clause : clause_table())
    if (folded_clause(clause.id) == wanted)
      fmt::format_to(std::back_inserter(out), "{} of MQTT {} ({})\n  {}\n  lint: {}\n", clause.id,
                     clause.version, who_name(clause.who), clause.text,
                     judged(clause.id, version_of(clause)));
  if (!out.empty()) return;
  for (const auto subject : mqtt::all_rules())
    for (const mqtt::Rule& rule : subject)
      for (const Version version : {Version::v5, Version::v3_1_1})
        if (const auto id = rule.clause.id(version); !id.empty() && folded_clause(id) == wanted)
          fmt::format_to(std::back_inserter(out), "{} of MQTT {}, a rule without number\n  {}\n", id,
                         mqtt::to_string(version), rule.text);
}

/// "CONNACK from the server, DISCONNECT from both sides"
std::string places_of(mqtt::ReasonCode code) {
  std::string out;
  for (unsigned n = 1; n <= types; ++n) {
    const auto type = static_cast<PacketType>(n);
    const bool client = mqtt::reason_allowed(code, type, Sender::client),
               server = mqtt::reason_allowed(code, type, Sender::server);
    if (!client && !server) continue;
    fmt::format_to(std::back_inserter(out), "{}{} from {}", out.empty() ? "" : ", ", mqtt::to_string(type),
                   client && server ? "both sides"
                   : client         ? "the client"
                                    : "the server");
  }
  return out;
}

/// A byte has several names, by the packet it stands in.
std::vector<std::string_view> names_of(mqtt::ReasonCode code) {
  std::vector<std::string_view> names;
  for (unsigned n = 1; n <= types; ++n) {
    const auto type = static_cast<PacketType>(n);
    if (!mqtt::reason_allowed(code, type, Sender::client) &&
        !mqtt::reason_allowed(code, type, Sender::server))
      continue;
    const std::string_view name = mqtt::reason_name(code, type);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

void explain_reasons(std::string& out, std::string_view name) {
  const auto number = number_of(name);
  for (unsigned n = 0; n <= 255; ++n) {
    const auto code = static_cast<mqtt::ReasonCode>(n);
    const auto names = names_of(code);
    const bool named =
        std::ranges::any_of(names, [&](std::string_view one) { return folded(one) == folded(name); });
    if (names.empty() || (number != n && !named)) continue;
    fmt::format_to(std::back_inserter(out), "reason code 0x{:02x} ({}): {}\n  {}\n  in: {}\n", n, n,
                   fmt::join(names, ", "), words_of_reason(n), places_of(code));
  }
}

std::string_view type_name(mqtt::PropertyType type) {
  switch (type) {
    case mqtt::PropertyType::byte: return "one byte";
    case mqtt::PropertyType::two_byte_integer: return "two bytes";
    case mqtt::PropertyType::four_byte_integer: return "four bytes";
    case mqtt::PropertyType::variable_byte_integer: return "a variable byte integer";
    case mqtt::PropertyType::utf8_string: return "a UTF-8 string";
    case mqtt::PropertyType::binary_data: return "binary data";
    case mqtt::PropertyType::utf8_string_pair: return "a pair of UTF-8 strings";
  }
  return "";
}

std::string places_of(const mqtt::PropertyInfo& info) {
  std::string out;
  for (unsigned n = 0; n <= types; ++n)
    if ((info.places >> n & 1) != 0)
      fmt::format_to(std::back_inserter(out), "{}{}", out.empty() ? "" : ", ",
                     n == 0 ? "Will Properties" : mqtt::to_string(static_cast<PacketType>(n)));
  return out;
}

void explain_properties(std::string& out, std::string_view name) {
  const auto number = number_of(name);
  const mqtt::PropertyInfo* const info =
      number ? mqtt::find_property(*number) : mqtt::find_property(folded(name));
  if (!info) return;
  fmt::format_to(std::back_inserter(out), "property 0x{:02x} ({}): {}, {}{}\n  {}\n  in: {}\n",
                 static_cast<unsigned>(info->id), static_cast<unsigned>(info->id), info->name,
                 type_name(info->type), info->repeats ? ", may repeat" : "",
                 words_of_property(static_cast<unsigned>(info->id)), places_of(*info));
}

void explain_packets(std::string& out, std::string_view name) {
  const auto number = number_of(name);
  for (unsigned n = 1; n <= types; ++n)
    if (number == n || folded(mqtt::to_string(static_cast<PacketType>(n))) == folded(name))
      fmt::format_to(std::back_inserter(out), "packet type {}: {}\n  {}\n", n,
                     mqtt::to_string(static_cast<PacketType>(n)), words_of_packet(n));
}

/// Everything that explain() knows, as it would be typed.
std::vector<std::string> all_names() {
  std::vector<std::string> names;
  for (const ClauseText& clause : clause_table()) names.emplace_back(clause.id);
  for (unsigned n = 0; n <= 255; ++n) {
    for (const std::string_view name : names_of(static_cast<mqtt::ReasonCode>(n))) names.emplace_back(name);
    if (const mqtt::PropertyInfo* info = mqtt::find_property(n)) names.emplace_back(info->name);
    if (n >= 1 && n <= types) names.emplace_back(mqtt::to_string(static_cast<PacketType>(n)));
  }
  return names;
}

}  // namespace

std::optional<std::string> explain(std::string_view name) {
  std::string out;
  explain_clauses(out, name);
  explain_reasons(out, name);
  explain_properties(out, name);
  explain_packets(out, name);
  return out.empty() ? std::nullopt : std::optional{std::move(out)};
}

std::string nearest_name(std::string_view name) {
  std::string nearest;
  std::size_t distance = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string& known : all_names()) {
    const bool inside = name.size() >= 4 && folded(known).find(folded(name)) != std::string::npos;
    const std::size_t away = inside ? 1 : edit_distance(folded_clause(known), folded_clause(name));
    if (away >= distance) continue;
    nearest = known;
    distance = away;
  }
  return nearest;
}

std::vector<std::string> explained_words() {
  std::vector<std::string> words;
  for (const std::string& name : all_names()) {
    const bool has_words = name.find(' ') != std::string::npos;
    words.push_back(has_words ? folded(name) : name);
  }
  for (unsigned n = 0; n <= 255; ++n)
    if (!names_of(static_cast<mqtt::ReasonCode>(n)).empty()) words.push_back(fmt::format("0x{:02x}", n));
  std::ranges::sort(words);
  const auto repeated = std::ranges::unique(words);
  words.erase(repeated.begin(), repeated.end());
  return words;
}

std::string coverage_table() {
  std::string out;
  std::size_t ruled = 0, elsewhere = 0;
  for (const ClauseText& clause : clause_table()) {
    const std::string how = judged(clause.id, version_of(clause));
    if (!how.starts_with("no rule")) ++ruled;
    if (how.starts_with("no rule: found as")) ++elsewhere;
    fmt::format_to(std::back_inserter(out), "{:<5}  {:<14}  {:<10}  {}\n", clause.version, clause.id,
                   who_name(clause.who), how);
  }
  fmt::format_to(std::back_inserter(out),
                 "{} of {} numbered clauses have a rule, {} are found by another one's\n", ruled,
                 clause_table().size(), elsewhere);
  return out;
}

}  // namespace mq::spy
