#include "mqpub/message_maker.hpp"

#include <fmt/format.h>

namespace mq {
namespace {

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

MessageMaker::MessageMaker(const PubConfig& config)
    : config_{config}, properties_{config.connection.properties.at(mqtt::PropertyPlace::publish)} {}

std::expected<std::optional<MadeMessage>, std::string> MessageMaker::make(const mqtt::SharedBytes& record) {
  if (config_.json) return from_json(record);
  return MadeMessage{{config_.topic, config_.qos, config_.retain, properties_, record}};
}

std::expected<std::optional<MadeMessage>, std::string> MessageMaker::from_json(
    const mqtt::SharedBytes& record) {
  const std::string_view line = mqtt::as_text(record.bytes);
  if (is_blank(line)) return std::nullopt;
  const auto read = lines_.read(line);
  if (!read) return std::unexpected(fmt::format("{} at byte {}", read.error().what, read.error().offset));
  if (!*read) return std::nullopt;
  const MessageLine& given = **read;
  if (!given.topic && config_.topic.empty())
    return std::unexpected("there is no topic, and no -t to use instead");
  return MadeMessage{{.topic = given.topic.value_or(config_.topic),
                      .qos = given.qos.value_or(config_.qos),
                      .retain = given.retain.value_or(config_.retain),
                      .properties = with_defaults(given.properties),
                      .payload = {given.payload, nullptr}},
                     given.recorded_at_ns};
}

/// What -D publish says holds where the line says nothing else.
mqtt::PropertiesView MessageMaker::with_defaults(mqtt::PropertiesView given) {
  if (properties_.empty()) return given;
  joined_ = mqtt::Properties{given};
  for (const mqtt::PropertyView& property : properties_)
    if (!given.find(property.id)) joined_.add(property);
  return joined_;
}

}  // namespace mq
