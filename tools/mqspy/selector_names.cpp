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
  SelectorField field;
  FieldKind kind;
};

constexpr Row rows[] = {
    {"k", SelectorField::kind, FieldKind::choice},
    {"n", SelectorField::number, FieldKind::number},
    {"conn", SelectorField::connection, FieldKind::text},
    {"client", SelectorField::client, FieldKind::text},
    {"server", SelectorField::server, FieldKind::text},
    {"transport", SelectorField::transport, FieldKind::text},
    {"partial", SelectorField::partial, FieldKind::flag},
    {"ts_us", SelectorField::time, FieldKind::number},
    {"dir", SelectorField::direction, FieldKind::choice},
    {"type", SelectorField::type, FieldKind::choice},
    {"ver", SelectorField::version, FieldKind::version},
    {"len", SelectorField::length, FieldKind::number},
    {"broken", SelectorField::broken, FieldKind::flag},
    {"left_out", SelectorField::left_out, FieldKind::number},
    {"qos", SelectorField::qos, FieldKind::number},
    {"dup", SelectorField::dup, FieldKind::flag},
    {"retain", SelectorField::retain, FieldKind::flag},
    {"id", SelectorField::packet_id, FieldKind::number},
    {"topic", SelectorField::topic, FieldKind::text},
    {"topic_by_alias", SelectorField::topic_by_alias, FieldKind::flag},
    {"filter", SelectorField::filter, FieldKind::text},
    {"filters.filter", SelectorField::filter, FieldKind::text},
    {"filters.qos", SelectorField::filter_qos, FieldKind::number},
    {"filters.no_local", SelectorField::filter_no_local, FieldKind::flag},
    {"filters.retain_as_published", SelectorField::filter_retain_as_published, FieldKind::flag},
    {"filters.retain_handling", SelectorField::filter_retain_handling, FieldKind::number},
    {"answers", SelectorField::answers, FieldKind::number},
    {"inflight.c2s", SelectorField::inflight_from_client, FieldKind::number},
    {"inflight.s2c", SelectorField::inflight_from_server, FieldKind::number},
    {"rtt", SelectorField::round_trip, FieldKind::duration},
    {"client_id", SelectorField::client_id, FieldKind::text},
    {"user_name", SelectorField::user_name, FieldKind::text},
    {"clean_start", SelectorField::clean_start, FieldKind::flag},
    {"keep_alive", SelectorField::keep_alive, FieldKind::number},
    {"will", SelectorField::will, FieldKind::flag},
    {"will.topic", SelectorField::will_topic, FieldKind::text},
    {"will.qos", SelectorField::will_qos, FieldKind::number},
    {"will.retain", SelectorField::will_retain, FieldKind::flag},
    {"session_present", SelectorField::session_present, FieldKind::flag},
    {"reason", SelectorField::reason, FieldKind::reason},
    {"reason_name", SelectorField::reason, FieldKind::reason},
    {"reasons", SelectorField::reason, FieldKind::reason},
    {"lint", SelectorField::lint, FieldKind::text},
    {"sev", SelectorField::severity, FieldKind::choice},
    {"side", SelectorField::side, FieldKind::choice},
    {"off", SelectorField::offset, FieldKind::number},
    {"nbytes", SelectorField::bytes, FieldKind::number},
    {"other", SelectorField::other, FieldKind::number},
    {"msg", SelectorField::message, FieldKind::text},
    {"by", SelectorField::closed_by, FieldKind::choice},
    {"how", SelectorField::how, FieldKind::choice},
    {"life", SelectorField::life, FieldKind::duration},
    {"why", SelectorField::why, FieldKind::text},
    {"last_lint", SelectorField::last_lint, FieldKind::text},
    {"c2s", SelectorField::packets_from_client, FieldKind::number},
    {"s2c", SelectorField::packets_from_server, FieldKind::number},
    {"rule", SelectorField::rule, FieldKind::text},
    {"action", SelectorField::action, FieldKind::text},
};

/// What is bytes in JSON: an object with "len" and "data".
constexpr Row bytes_rows[] = {
    {"payload", SelectorField::payload, FieldKind::payload},
    {"will.payload", SelectorField::will_payload, FieldKind::payload},
    {"password", SelectorField::password, FieldKind::text},
    {"raw", SelectorField::raw, FieldKind::text},
    {"original", SelectorField::original, FieldKind::text},
    {"sent", SelectorField::sent, FieldKind::text},
};

constexpr std::string_view kinds[] = {"open", "pkt", "lint", "close", "gap", "fault", "stat", "note"};
constexpr std::string_view directions[] = {"c2s", "s2c"};
constexpr std::string_view types[] = {"CONNECT",  "CONNACK", "PUBLISH",   "PUBACK",     "PUBREC",
                                      "PUBREL",   "PUBCOMP", "SUBSCRIBE", "SUBACK",     "UNSUBSCRIBE",
                                      "UNSUBACK", "PINGREQ", "PINGRESP",  "DISCONNECT", "AUTH"};
constexpr std::string_view severities[] = {"error", "warning", "info"};
constexpr std::string_view sides[] = {"client", "server"};
constexpr std::string_view endings[] = {"fin", "reset", "unknown"};

std::span<const std::string_view> choices_of(SelectorField field) {
  switch (field) {
    case SelectorField::kind: return kinds;
    case SelectorField::direction: return directions;
    case SelectorField::type: return types;
    case SelectorField::severity: return severities;
    case SelectorField::how: return endings;
    default: return sides;
  }
}

FieldKind kind_of(mqtt::PropertyType type) {
  using enum mqtt::PropertyType;
  return type == utf8_string || type == binary_data || type == utf8_string_pair ? FieldKind::text
                                                                                : FieldKind::number;
}

/// Behind "props.": what may repeat has a plural of its own.
std::optional<KnownField> find_property_field(SelectorField field, std::string_view key) {
  constexpr std::string_view user = "user_properties", subscriptions = "subscription_identifiers";
  using mqtt::PropertyId;
  if (key == user) return KnownField{{field, PropertyId::user_property}, FieldKind::text};
  if (key.starts_with(user) && key.size() > user.size() + 1 && key[user.size()] == '.')
    return KnownField{{field, PropertyId::user_property, std::string{key.substr(user.size() + 1)}},
                      FieldKind::text};
  if (key == subscriptions)
    return KnownField{{field, PropertyId::subscription_identifier}, FieldKind::number};
  const auto& all = mqtt::all_properties();
  const auto info = std::ranges::find(all, key, &mqtt::PropertyInfo::key);
  if (info == all.end()) return std::nullopt;
  return KnownField{{field, info->id}, kind_of(info->type)};
}

std::optional<KnownField> find_plain_field(std::string_view path) {
  constexpr std::string_view properties = "props.", of_will = "will.props.";
  if (path.starts_with(properties))
    return find_property_field(SelectorField::property, path.substr(properties.size()));
  if (path.starts_with(of_will))
    return find_property_field(SelectorField::will_property, path.substr(of_will.size()));
  const auto* row = std::ranges::find(rows, path, &Row::path);
  if (row == std::end(rows)) return std::nullopt;
  return KnownField{{.field = row->field}, row->kind};
}

/// `path` without ".len" or ".data" behind it, if that names bytes.
std::optional<KnownField> find_bytes(std::string_view path) {
  const auto* row = std::ranges::find(bytes_rows, path, &Row::path);
  if (row != std::end(bytes_rows)) return KnownField{{.field = row->field}, row->kind};
  auto found = find_plain_field(path);
  const bool is_binary =
      found &&
      (found->name.field == SelectorField::property || found->name.field == SelectorField::will_property) &&
      mqtt::property_info(found->name.property).type == mqtt::PropertyType::binary_data;
  return is_binary ? found : std::nullopt;
}

}  // namespace

std::optional<KnownField> find_field(std::string_view path) {
  constexpr std::string_view length = ".len", data = ".data";
  if (auto bytes = find_bytes(path)) return bytes;
  if (path.ends_with(data))
    if (auto bytes = find_bytes(path.substr(0, path.size() - data.size()))) return bytes;
  if (path.ends_with(length))
    if (auto bytes = find_bytes(path.substr(0, path.size() - length.size()))) {
      bytes->name.length = true;
      bytes->kind = FieldKind::number;
      return bytes;
    }
  // JSON has the unit in the name.
  if (path == "rtt_us" || path == "life_us") path.remove_suffix(3);
  return find_plain_field(path);
}

std::expected<std::string, std::string> choice_word(SelectorField field, std::string_view text) {
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
