#include "mqpub/message_maker.hpp"

#include <fmt/format.h>

#include <chrono>

namespace mq {
namespace {

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

MessageMaker::MessageMaker(const PubConfig& config)
    : config_{config}, properties_{config.connection.properties.at(mqtt::PropertyPlace::publish)} {
  std::random_device device;
  random_.seed(static_cast<std::uint64_t>(device()) << 32 | device());
}

std::optional<OutgoingMessage> MessageMaker::frame() const {
  if (config_.json || config_.topic_template || config_.payload_template) return std::nullopt;
  return OutgoingMessage{config_.topic, config_.qos, config_.retain, properties_};
}

std::expected<std::optional<MadeMessage>, std::string> MessageMaker::make(const mqtt::SharedBytes& record) {
  if (config_.json) return from_json(record);
  if (config_.topic_template || config_.payload_template) return from_templates(record);
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
  return MadeMessage{{.topic = rewritten(given.topic.value_or(config_.topic)),
                      .qos = given.qos.value_or(config_.qos),
                      .retain = given.retain.value_or(config_.retain),
                      .properties = with_defaults(given.properties),
                      .payload = {given.payload, nullptr}},
                     given.recorded_at_ns};
}

/// FROM stands for itself and all below it, at the level of topics; "" for every topic.
std::string_view MessageMaker::rewritten(std::string_view topic) {
  for (const auto& [from, to] : config_.rewrites) {
    const bool below = topic.starts_with(from) && (from.empty() || topic.size() == from.size() ||
                                                   from.ends_with('/') || topic[from.size()] == '/');
    if (!below) continue;
    std::string_view rest = topic.substr(from.size());
    if (to.empty() && rest.starts_with('/')) rest.remove_prefix(1);
    topic_ = to;
    if (!to.empty() && from.empty() && !to.ends_with('/')) topic_ += '/';
    topic_ += rest;
    return topic_;
  }
  return topic;
}

MadeMessage MessageMaker::from_templates(const mqtt::SharedBytes& record) {
  const TemplateValues values{
      .sequence = ++sequence_, .line = mqtt::as_text(record.bytes), .now = std::chrono::system_clock::now()};
  MadeMessage made{{config_.topic, config_.qos, config_.retain, properties_, record}};
  if (config_.topic_template) {
    topic_.clear();
    config_.topic_template->append(topic_, values, random_, clock_);
    made.message.topic = topic_;
  }
  if (config_.payload_template) {
    payload_.clear();
    config_.payload_template->append(payload_, values, random_, clock_);
    made.message.payload = {mqtt::as_bytes(payload_), nullptr};
  }
  return made;
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
