// Retained messages: kept, replaced, expired.
#include <mqtt/broker/broker_state.hpp>

namespace mqtt::broker {

bool Broker::State::has_room_to_retain(const PublishView& publish) const {
  if (publish.payload.empty()) return true;
  const Retained* const former = retained.find(publish.topic);
  if (!former && retained.count() >= config.limits.retained_messages) return false;
  const std::size_t freed = former ? former->message->size_bytes() : 0;
  const std::size_t wanted = Message::size_of(publish);
  return counters.retained_bytes - freed + wanted <= config.limits.retained_bytes;
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
  if (const MessagePtr former = retained.set(topic, message)) counters.retained_bytes -= former->size_bytes();
  counters.retained_bytes += message->size_bytes();
  services.store.on_retained(topic, message);
  if (!message->expires()) return;
  auto expiry = std::make_unique<RetainedExpiry>(std::string{topic});
  retained_timers.set(*expiry, *message->expires());
  const std::string_view key = expiry->topic;
  retained_expiries.emplace(key, std::move(expiry));
}

void Broker::State::forget_retained(std::string_view topic) {
  const MessagePtr former = retained.erase(topic);
  if (!former) return;
  counters.retained_bytes -= former->size_bytes();
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
