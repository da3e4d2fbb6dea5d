#include "common/property_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <mqtt/codec/decode.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "common/stdio.hpp"

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PropertyInfo;
using mqtt::PropertyPlace;
using mqtt::PropertyType;

using Fault = std::unexpected<std::string>;

struct PlaceName {
  std::string_view name;
  PropertyPlace place;
};

constexpr std::array<PlaceName, 7> place_names{{{"connect", PropertyPlace::connect},
                                                {"will", PropertyPlace::will},
                                                {"publish", PropertyPlace::publish},
                                                {"subscribe", PropertyPlace::subscribe},
                                                {"unsubscribe", PropertyPlace::unsubscribe},
                                                {"disconnect", PropertyPlace::disconnect},
                                                {"auth", PropertyPlace::auth}}};

bool contains(std::span<const PropertyPlace> places, PropertyPlace place) {
  return std::ranges::find(places, place) != places.end();
}

/// What stands there in what servers send only [MQTT-3.3.4-6].
bool is_of_servers(PropertyId id, PropertyPlace place) {
  return id == PropertyId::server_reference ||
         (id == PropertyId::subscription_identifier && place == PropertyPlace::publish);
}

std::expected<PlaceName, std::string> find_place(std::string_view name, std::span<const PropertyPlace> sent) {
  std::string known;
  for (const PlaceName& candidate : place_names) {
    if (!contains(sent, candidate.place)) continue;
    if (mqtt::equal_ignoring_case(candidate.name, name)) return candidate;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", candidate.name);
  }
  return Fault(fmt::format("{} is not one of {}", in_quotes(name), known));
}

std::uint64_t largest(const PropertyInfo& info) {
  constexpr std::uint64_t byte_max = 0xFF, two_byte_max = 0xFFFF, varint_max = mqtt::remaining_length_max;
  switch (info.type) {
    case PropertyType::byte: return std::min<std::uint64_t>(info.max, byte_max);
    case PropertyType::two_byte_integer: return std::min<std::uint64_t>(info.max, two_byte_max);
    case PropertyType::variable_byte_integer: return std::min<std::uint64_t>(info.max, varint_max);
    default: return info.max;
  }
}

Fault too_long(const PropertyInfo& info) {
  return Fault(fmt::format("{} is longer than {} bytes", info.name, mqtt::field_size_max));
}

std::expected<void, std::string> add_number(mqtt::Properties& to, const PropertyInfo& info,
                                            const std::string& value) {
  const auto number = mqtt::parse_number<std::uint32_t>(value);
  if (!number || *number < info.min || *number > largest(info))
    return Fault(fmt::format("{}: {} is not a number from {} to {}", info.name, in_quotes(value), info.min,
                             largest(info)));
  to.add(info.id, *number);
  return {};
}

std::expected<void, std::string> add_value(mqtt::Properties& to, const PropertyInfo& info,
                                           std::span<const std::string> values) {
  if (info.type == PropertyType::utf8_string_pair) {
    if (!to.add_user_property(values[0], values[1])) return too_long(info);
    return {};
  }
  if (info.type == PropertyType::utf8_string) {
    if (!to.add(info.id, std::string_view{values[0]})) return too_long(info);
    return {};
  }
  if (info.type != PropertyType::binary_data) return add_number(to, info, values[0]);
  const auto bytes = binary_value(values[0]);
  if (!bytes) return Fault(bytes.error());
  if (!to.add(info.id, std::string_view{*bytes})) return too_long(info);
  return {};
}

}  // namespace

std::expected<std::string, std::string> binary_value(std::string_view value) {
  if (value.starts_with(base64_prefix)) {
    auto bytes = mqtt::from_base64(value.substr(base64_prefix.size()));
    if (!bytes) return Fault(fmt::format("{} is not base64", in_quotes(value.substr(base64_prefix.size()))));
    return std::move(*bytes);
  }
  if (!value.starts_with('@')) return std::string{value};
  auto content = read_file(std::string{value.substr(1)}, mqtt::field_size_max);
  if (!content) return Fault(std::move(content.error().context));
  return std::move(*content);
}

bool PropertySet::empty() const {
  return std::ranges::all_of(places_, [](const mqtt::Properties& properties) { return properties.empty(); });
}

std::size_t property_values_wanted(std::span<const std::string> values) {
  constexpr std::size_t usual = 3;  // PACKET NAME VALUE
  const PropertyInfo* info = values.size() < 2 ? nullptr : mqtt::find_property(values[1]);
  return info && info->id == PropertyId::user_property ? usual + 1 : usual;
}

std::vector<std::string> property_words(std::span<const PropertyPlace> sent) {
  std::vector<std::string> lines;
  for (const PlaceName& place : place_names)
    for (const PropertyInfo& info : mqtt::all_properties()) {
      if (!contains(sent, place.place) || !info.allowed_at(place.place) ||
          is_of_servers(info.id, place.place))
        continue;
      std::string key{info.key};
      std::ranges::replace(key, '_', '-');
      lines.push_back(fmt::format("{} {}", place.name, key));
    }
  return lines;
}

std::expected<void, std::string> add_property(PropertySet& set, std::span<const std::string> values,
                                              std::span<const PropertyPlace> sent) {
  const auto place = find_place(values[0], sent);
  if (!place) return Fault(place.error());
  const PropertyInfo* info = mqtt::find_property(values[1]);
  if (!info) return Fault(fmt::format("{} is not a property of MQTT 5", in_quotes(values[1])));
  if (!info->allowed_at(place->place))
    return Fault(fmt::format("{} is not a property of {}", info->name, place->name));
  mqtt::Properties& properties = set.at(place->place);
  if (info->id != PropertyId::user_property && properties.view().find(info->id))
    return Fault(fmt::format("{} may be given to {} only once", info->name, place->name));
  mqtt::Properties extended = properties;
  if (auto added = add_value(extended, *info, values.subspan(2)); !added) return added;
  const auto valid = mqtt::validate_properties(extended.view().encoded(), place->place, mqtt::Sender::client);
  if (!valid) return Fault(fmt::format("{}: {} [{}]", info->name, valid.error().what, valid.error().clause));
  properties = std::move(extended);
  return {};
}

}  // namespace mq
