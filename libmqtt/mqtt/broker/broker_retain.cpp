// Retained messages: kept, replaced, expired.
#include <mqtt/broker/broker_state.hpp>

namespace mqtt::broker {

bool Broker::State::has_room_to_retain(const PublishView& publish) const {
  if (publish.payload.empty()) return true;
  const std::size_t clients_own = retained.count() - status_topics;
  if (clients_own >= config.limits.retained_messages && !retained.find(publish.topic)) return false;
  return retained.bytes_with(publish.topic, Message::size_of(publish)) <= config.limits.retained_bytes;
}

void Broker::State::retain(Incoming& incoming) {
  const std::string_view topic = incoming.publish.topic;
  if (incoming.publish.payload.empty()) return forget_retained(topic);  // [MQTT-3.3.1-6]
  if (!has_room_to_retain(incoming.publish)) {
    forget_retained(topic);  // no retained message is better than one that is out of date (3.3.1.3)
    return drop(DropReason::retained_full);
  }
  forget_expiry(topic);
  const MessagePtr& message = message_of(incoming);
  services.store.on_retained(topic, message);
  set_retained(message);
}

/// There is no expiry of an older one.
void Broker::State::set_retained(const MessagePtr& message) {
  retained.set(message->topic(), message);
  if (!message->expires()) return;
  auto expiry = std::make_unique<RetainedExpiry>(std::string{message->topic()});
  retained_timers.set(*expiry, *message->expires());
  const std::string_view key = expiry->topic;
  retained_expiries.emplace(key, std::move(expiry));
}

void Broker::State::forget_retained(std::string_view topic) {
  if (!retained.erase(topic)) return;
  services.store.on_retained(topic, nullptr);
  forget_expiry(topic);
}

void Broker::State::forget_expiry(std::string_view topic) {
  const auto found = retained_expiries.find(topic);
  if (found == retained_expiries.end()) return;
  retained_timers.cancel(*found->second);
  retained_expiries.erase(found);
}

void Broker::State::on_retained_time(RetainedExpiry& expiry) {
  const std::string topic = expiry.topic;  // which goes with the entry
  forget_retained(topic);
}

}  // namespace mqtt::broker
