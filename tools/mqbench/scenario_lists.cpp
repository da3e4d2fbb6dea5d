#include "mqbench/scenario_lists.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include <mqtt/util/base64.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/json_scanner.hpp"
#include "common/spelling.hpp"

namespace mq::bench {
namespace {

using mqtt::PropertyId;
using mqtt::PropertyInfo;
using mqtt::PropertyPlace;
using mqtt::PropertyType;

/// The packets of a load that have properties.
constexpr std::array<std::pair<std::string_view, PropertyPlace>, 3> packets{
    {{"connect", PropertyPlace::connect},
     {"publish", PropertyPlace::publish},
     {"subscribe", PropertyPlace::subscribe}}};
constexpr std::array places{PropertyPlace::connect, PropertyPlace::publish, PropertyPlace::subscribe};

bool authenticates(PropertyId id) {
  return id == PropertyId::authentication_method || id == PropertyId::authentication_data;
}

/// As binary_value() reads it.
std::string binary_text(std::string_view bytes) {
  const bool plain = mqtt::is_mqtt_utf8(mqtt::as_bytes(bytes)) && !bytes.starts_with('@') &&
                     !bytes.starts_with(base64_prefix);
  return plain ? std::string{bytes}
               : fmt::format("{}{}", base64_prefix, mqtt::to_base64(mqtt::as_bytes(bytes)));
}

std::vector<std::string> words_of(std::string_view packet, const mqtt::PropertyView& property) {
  const PropertyInfo& info = mqtt::property_info(property.id);
  std::vector<std::string> words{std::string{packet}, std::string{info.key}};
  switch (info.type) {
    case PropertyType::utf8_string_pair: words.emplace_back(property.key); [[fallthrough]];
    case PropertyType::utf8_string: words.emplace_back(property.text); break;
    case PropertyType::binary_data: words.push_back(binary_text(property.text)); break;
    default: words.push_back(std::to_string(property.number));
  }
  return words;
}

std::vector<std::vector<std::string>> words_of(const PropertySet& properties) {
  std::vector<std::vector<std::string>> all;
  for (const auto& [name, place] : packets)
    for (const mqtt::PropertyView& property : properties.at(place).view())
      if (!authenticates(property.id)) all.push_back(words_of(name, property));
  return all;
}

void write_list(JsonWriter& json, const std::vector<std::string>& texts) {
  json.begin_array();
  for (const std::string& text : texts) json.string(text);
  json.end_array();
}

/// Hands over each item's JSON until one is wrong.
template <class Keep>
ScenarioFault each_item(std::string_view json, std::string_view what, Keep keep) {
  JsonScanner list{json};
  if (!list.take('[')) return fmt::format("it is not a list of {}", what);
  if (list.take_if(']')) return std::nullopt;
  do {
    if (auto fault = keep(list.value()->text)) return fault;
  } while (list.take_if(','));
  return std::nullopt;
}

ScenarioFault keep_property(PropertySet& target, std::string_view json) {
  std::vector<std::string> words;
  if (auto fault = keep_texts(words, json)) return fault;
  if (words.size() < 2 || words.size() != property_values_wanted(words))
    return fmt::format("{} is not [PACKET, NAME, VALUE]", in_quotes(json));
  const PropertyInfo* const info = mqtt::find_property(words[1]);
  if (info && authenticates(info->id)) return "authentication is no part of a scenario: use --auth-method";
  auto added = add_property(target, words, places);
  return added ? ScenarioFault{} : ScenarioFault{std::move(added.error())};
}

}  // namespace

std::optional<std::string> string_in(std::string_view json) {
  if (!json.starts_with('"')) return std::nullopt;
  std::string storage;
  JsonScanner scanner{json};
  const auto text = scanner.string(storage);
  return text ? std::optional{std::string{*text}} : std::nullopt;
}

ScenarioFault keep_text(std::string& target, std::string_view json) {
  auto text = string_in(json);
  if (!text) return fmt::format("{} is not a string", in_quotes(json));
  target = std::move(*text);
  return std::nullopt;
}

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  json.key(key);
  write_list(json, texts);
}

ScenarioFault keep_texts(std::vector<std::string>& target, std::string_view json) {
  target.clear();
  return each_item(json, "strings",
                   [&target](std::string_view item) { return keep_text(target.emplace_back(), item); });
}

void write_brokers(JsonWriter& json, std::string_view key, const std::vector<mqtt::Endpoint>& brokers) {
  std::vector<std::string> urls;
  for (const mqtt::Endpoint& broker : brokers) urls.push_back(mqtt::public_url(broker));
  write_texts(json, key, urls);
}

ScenarioFault add_broker(std::vector<mqtt::Endpoint>& target, std::string_view url) {
  auto endpoint = mqtt::parse_endpoint(url);
  if (!endpoint) return std::move(endpoint.error().context);
  if (!endpoint->topic.empty()) return "the URL has a topic, but the topics are the benchmark's own";
  target.push_back(std::move(*endpoint));
  return std::nullopt;
}

ScenarioFault keep_brokers(std::vector<mqtt::Endpoint>& target, std::string_view json) {
  target.clear();
  return each_item(json, "URLs", [&target](std::string_view item) {
    std::string url;
    auto fault = keep_text(url, item);
    return fault ? fault : add_broker(target, url);
  });
}

void write_properties(JsonWriter& json, const PropertySet& properties) {
  const auto all = words_of(properties);
  if (all.empty()) return;
  json.key("properties");
  json.begin_array();
  for (const auto& words : all) write_list(json, words);
  json.end_array();
}

std::vector<std::string> property_texts(const PropertySet& properties) {
  std::vector<std::string> texts;
  for (const auto& words : words_of(properties)) texts.push_back(fmt::format("{}", fmt::join(words, " ")));
  return texts;
}

ScenarioFault keep_properties(PropertySet& target, std::string_view json) {
  target = {};
  return each_item(json, "properties",
                   [&target](std::string_view item) { return keep_property(target, item); });
}

}  // namespace mq::bench
