#include "mqsub/selection.hpp"

#include <algorithm>

#include <mqtt/codec/topic.hpp>

namespace mq {

Selection::Selection(const SelectionConfig& config, std::uint64_t seed)
    : config_{config},
      key_{seed, ~seed},
      sampler_{config.probability.value_or(1.0), seed},
      payloads_{key_, topics_max},
      shown_at_{key_, topics_max} {}

Verdict Selection::judge(const mqtt::PublishView& message, mqtt::Version version, mqtt::TimePoint now) {
  if (filtered_out(message.topic)) return Verdict::filtered_out;
  if (config_.retained_only && !message.retain) return Verdict::end;
  if (unwanted(message, version)) return Verdict::skip;
  // What is drawn out must not count as the last one shown.
  if (config_.probability && !sampler_.draw()) return Verdict::skip;
  if (config_.at_most_every && !is_due(message.topic, now)) return Verdict::skip;
  if (config_.changes && !is_change(message)) return Verdict::skip;
  if (config_.at_most_every) shown_at_.put(message.topic, now);
  return Verdict::show;
}

bool Selection::filtered_out(std::string_view topic) const {
  return std::ranges::any_of(
      config_.filter_out, [topic](const std::string& filter) { return mqtt::topic_matches(filter, topic); });
}

/// With 5.0, --fresh has told the server not to send retained messages: a flag that is set all the same is
/// that of a message published just now (Retain As Published).
bool Selection::unwanted(const mqtt::PublishView& message, mqtt::Version version) const {
  if (config_.skip_empty && message.payload.empty()) return true;
  if (config_.snapshot) return !message.retain;
  const bool fresh_by_flag = config_.fresh && version != mqtt::Version::v5;
  return message.retain && (config_.skip_retained || fresh_by_flag);
}

bool Selection::is_change(const mqtt::PublishView& message) {
  const std::uint64_t payload = mqtt::siphash(key_, mqtt::as_text(message.payload));
  const std::uint64_t* last = payloads_.find(message.topic);
  if (last && *last == payload) return false;
  payloads_.put(message.topic, payload);
  return true;
}

bool Selection::is_due(std::string_view topic, mqtt::TimePoint now) {
  const mqtt::TimePoint* last = shown_at_.find(topic);
  return !last || now - *last >= *config_.at_most_every;
}

}  // namespace mq
