#include "decode/decoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <mqtt/codec/topic.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/json_text.hpp"
#include "common/json_writer.hpp"
#include "common/spelling.hpp"
#include "decode/formats.hpp"

namespace mq {
namespace {

using Result = std::expected<void, std::string>;

/// To the letter: big numbers and 1.10 stay what they are. Line breaks between tokens become blanks, as
/// what is written is a line.
Result decode_json(mqtt::Bytes payload, std::string& json) {
  if (!mqtt::is_mqtt_utf8(payload) || !is_json_text(mqtt::as_text(payload)))
    return std::unexpected(std::string{"is not JSON"});
  json += mqtt::as_text(payload);
  std::ranges::replace(json, '\n', ' ');
  std::ranges::replace(json, '\r', ' ');
  return {};
}

Result decode_hex(mqtt::Bytes payload, std::string& json) {
  JsonWriter{json}.string(fmt::format("{:02x}", fmt::join(payload, "")));
  return {};
}

Result decode_base64(mqtt::Bytes payload, std::string& json) {
  JsonWriter{json}.base64(payload);
  return {};
}

struct Named {
  std::string name;
  Decoder decoder;
};

const std::vector<Named>& decoders() {
  static const std::vector<Named> all = [] {
    std::vector<Named> named{{"json", decode_json},       {"cbor", decode_cbor},
                             {"msgpack", decode_msgpack}, {"bson", decode_bson},
                             {"ubjson", decode_ubjson},   {"sparkplug", decode_sparkplug},
                             {"hex", decode_hex},         {"base64", decode_base64}};
    for (const NumberFormat& format : number_formats())
      named.push_back({format.name, [&format](mqtt::Bytes payload, std::string& json) {
                         return decode_numbers(format, payload, json);
                       }});
    return named;
  }();
  return all;
}

}  // namespace

std::optional<Decoder> find_decoder(std::string_view name) {
  const auto found = std::ranges::find(decoders(), name, &Named::name);
  if (found == decoders().end()) return std::nullopt;
  return found->decoder;
}

const std::vector<std::string>& decoder_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Named& named : decoders()) all.push_back(named.name);
    return all;
  }();
  return names;
}

std::expected<void, std::string> Decoding::add(std::string_view rule) {
  const std::size_t equals = rule.rfind('=');
  if (equals == std::string_view::npos)
    return std::unexpected(in_quotes(rule) + " is not FILTER=DECODER, such as 'plant/#=cbor'");
  const std::string_view filter = rule.substr(0, equals), name = rule.substr(equals + 1);
  if (const auto fault = mqtt::find_topic_filter_error(filter))
    return std::unexpected(fmt::format("{}: {}", in_quotes(filter), fault->what));
  auto decoder = find_decoder(name);
  if (!decoder)
    return std::unexpected(
        fmt::format("{} is not a decoder: {}", in_quotes(name), fmt::join(decoder_names(), ", ")));
  // As one has subscribed; the topics of a shared subscription are those of its filter.
  rules_.push_back({std::string{mqtt::split_shared(filter).filter}, std::string{name}, std::move(*decoder)});
  return {};
}

std::optional<Decoded> Decoding::decode(std::string_view topic, mqtt::Bytes payload) const {
  const auto rule = std::ranges::find_if(
      rules_, [topic](const Rule& each) { return mqtt::topic_matches(each.filter, topic); });
  if (rule == rules_.end()) return std::nullopt;
  Decoded decoded{.name = rule->name, .json = {}, .fault = {}};
  if (const auto result = rule->decoder(payload, decoded.json); !result) {
    decoded.json.clear();
    decoded.fault = result.error();
  }
  return decoded;
}

}  // namespace mq
