#include "mqspy/selector_names.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <span>

#include <mqtt/codec/types.hpp>
#include <mqtt/util/text.hpp>

namespace mq::spy {
namespace {

struct Row {
  std::string_view path;
  Field field;
  FieldKind kind;
};

constexpr Row rows[] = {
    {"k", Field::kind, FieldKind::choice},
    {"n", Field::number, FieldKind::number},
    {"conn", Field::connection, FieldKind::text},
    {"ts_us", Field::time, FieldKind::number},
    {"dir", Field::direction, FieldKind::choice},
    {"type", Field::type, FieldKind::choice},
    {"ver", Field::version, FieldKind::version},
    {"len", Field::length, FieldKind::number},
    {"qos", Field::qos, FieldKind::number},
    {"dup", Field::dup, FieldKind::flag},
    {"retain", Field::retain, FieldKind::flag},
    {"id", Field::packet_id, FieldKind::number},
    {"topic", Field::topic, FieldKind::text},
    {"filter", Field::filter, FieldKind::text},
    {"filters.filter", Field::filter, FieldKind::text},
    {"payload", Field::payload, FieldKind::payload},
    {"payload.len", Field::payload_length, FieldKind::number},
    {"payload.data", Field::payload, FieldKind::payload},
    {"inflight.c2s", Field::inflight_from_client, FieldKind::number},
    {"inflight.s2c", Field::inflight_from_server, FieldKind::number},
    {"rtt", Field::round_trip, FieldKind::duration},
    {"client_id", Field::client_id, FieldKind::text},
    {"user_name", Field::user_name, FieldKind::text},
    {"clean_start", Field::clean_start, FieldKind::flag},
    {"keep_alive", Field::keep_alive, FieldKind::number},
    {"session_present", Field::session_present, FieldKind::flag},
    {"reason", Field::reason, FieldKind::reason},
    {"reason_name", Field::reason, FieldKind::reason},
    {"reasons", Field::reason, FieldKind::reason},
    {"lint", Field::lint, FieldKind::text},
    {"sev", Field::severity, FieldKind::choice},
    {"side", Field::side, FieldKind::choice},
    {"off", Field::offset, FieldKind::number},
    {"nbytes", Field::octets, FieldKind::number},
    {"msg", Field::message, FieldKind::text},
    {"by", Field::closed_by, FieldKind::choice},
    {"how", Field::how, FieldKind::choice},
    {"life", Field::life, FieldKind::duration},
    {"why", Field::why, FieldKind::text},
    {"last_lint", Field::last_lint, FieldKind::text},
};

constexpr std::string_view kinds[] = {"open", "pkt", "lint", "close", "gap", "fault", "stat", "note"};
constexpr std::string_view directions[] = {"c2s", "s2c"};
constexpr std::string_view types[] = {"CONNECT",  "CONNACK", "PUBLISH",   "PUBACK",     "PUBREC",
                                      "PUBREL",   "PUBCOMP", "SUBSCRIBE", "SUBACK",     "UNSUBSCRIBE",
                                      "UNSUBACK", "PINGREQ", "PINGRESP",  "DISCONNECT", "AUTH"};
constexpr std::string_view severities[] = {"error", "warning", "info"};
constexpr std::string_view sides[] = {"client", "server"};
constexpr std::string_view endings[] = {"fin", "reset", "unknown"};

std::span<const std::string_view> choices_of(Field field) {
  switch (field) {
    case Field::kind: return kinds;
    case Field::direction: return directions;
    case Field::type: return types;
    case Field::severity: return severities;
    case Field::how: return endings;
    default: return sides;
  }
}

FieldKind kind_of(mqtt::PropertyType type) {
  using enum mqtt::PropertyType;
  return type == utf8_string || type == binary_data || type == utf8_string_pair ? FieldKind::text
                                                                                : FieldKind::number;
}

/// Behind "props.": what may repeat has a plural of its own.
std::optional<KnownField> find_property_field(std::string_view key) {
  constexpr std::string_view user = "user_properties", subscriptions = "subscription_identifiers";
  using mqtt::PropertyId;
  if (key == user) return KnownField{{Field::property, PropertyId::user_property}, FieldKind::text};
  if (key.starts_with(user) && key.size() > user.size() + 1 && key[user.size()] == '.')
    return KnownField{{Field::property, PropertyId::user_property, std::string{key.substr(user.size() + 1)}},
                      FieldKind::text};
  if (key == subscriptions)
    return KnownField{{Field::property, PropertyId::subscription_identifier}, FieldKind::number};
  const auto& all = mqtt::all_properties();
  const auto info = std::ranges::find(all, key, &mqtt::PropertyInfo::key);
  if (info == all.end()) return std::nullopt;
  return KnownField{{Field::property, info->id}, kind_of(info->type)};
}

}  // namespace

std::optional<KnownField> find_field(std::string_view path) {
  constexpr std::string_view properties = "props.";
  if (path.starts_with(properties)) return find_property_field(path.substr(properties.size()));
  // JSON has the unit in the name.
  if (path == "rtt_us" || path == "life_us") path.remove_suffix(3);
  const auto* row = std::ranges::find(rows, path, &Row::path);
  if (row == std::end(rows)) return std::nullopt;
  return KnownField{{.field = row->field}, row->kind};
}

std::expected<std::string, std::string> choice_word(Field field, std::string_view text) {
  const auto choices = choices_of(field);
  const auto* found =
      std::ranges::find_if(choices.data(), choices.data() + choices.size(),
                           [text](std::string_view word) { return mqtt::equal_ignoring_case(word, text); });
  if (found != choices.data() + choices.size()) return std::string{*found};
  return std::unexpected(fmt::format("none of {}", fmt::join(choices, ", ")));
}

std::optional<double> version_number(std::string_view text) {
  using mqtt::Version;
  struct Spelling {
    std::string_view text;
    Version version;
  };
  constexpr Spelling spellings[] = {
      {"5", Version::v5},     {"5.0", Version::v5},   {"3.1.1", Version::v3_1_1}, {"311", Version::v3_1_1},
      {"4", Version::v3_1_1}, {"3.1", Version::v3_1}, {"31", Version::v3_1},      {"3", Version::v3_1}};
  const auto* found = std::ranges::find(spellings, text, &Spelling::text);
  if (found == std::end(spellings)) return std::nullopt;
  return static_cast<double>(found->version);
}

bool same_words(std::string_view a, std::string_view b) {
  const auto plain = [](char c) {
    return c == '_' || c == '-' ? ' ' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  };
  return std::ranges::equal(a, b, {}, plain, plain);
}

}  // namespace mq::spy
