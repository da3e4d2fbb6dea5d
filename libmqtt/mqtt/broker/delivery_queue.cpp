#include <algorithm>

#include <mqtt/broker/session.hpp>

namespace mqtt::broker {

void DeliveryQueue::push(Delivery delivery) {
  if (!waiting_) waiting_ = std::make_unique<std::deque<Delivery>>();
  bytes_ += delivery.size_bytes();
  qos_0_ += delivery.qos == QoS::at_most_once;
  expires_from_ = earlier(expires_from_, delivery.message->expires());
  waiting_->push_back(std::move(delivery));
}

void DeliveryQueue::forget(const Delivery& delivery) {
  bytes_ -= delivery.size_bytes();
  qos_0_ -= delivery.qos == QoS::at_most_once;
}

Delivery DeliveryQueue::pop() {
  Delivery first = std::move(waiting_->front());
  waiting_->pop_front();
  forget(first);
  if (waiting_->empty()) waiting_.reset();
  return first;
}

Delivery DeliveryQueue::pop_newest() {
  Delivery last = std::move(waiting_->back());
  waiting_->pop_back();
  forget(last);
  if (waiting_->empty()) waiting_.reset();
  return last;
}

std::optional<Delivery> DeliveryQueue::take_qos_0() {
  if (qos_0_ == 0) return std::nullopt;
  const auto found = std::ranges::find(*waiting_, QoS::at_most_once, &Delivery::qos);
  Delivery taken = std::move(*found);
  waiting_->erase(found);
  forget(taken);
  if (waiting_->empty()) waiting_.reset();
  return taken;
}

template <class Condition>
std::vector<Delivery> DeliveryQueue::take_if(Condition condition) {
  std::vector<Delivery> taken;
  if (!waiting_) return taken;
  std::deque<Delivery> kept;
  for (Delivery& delivery : *waiting_) {
    const bool takes = condition(delivery);
    if (takes) forget(delivery);
    if (takes)
      taken.push_back(std::move(delivery));
    else
      kept.push_back(std::move(delivery));
  }
  waiting_->swap(kept);
  if (waiting_->empty()) waiting_.reset();
  return taken;
}

std::vector<Delivery> DeliveryQueue::take_expired(TimePoint now) {
  if (!expires_from_ || *expires_from_ > now) return {};
  expires_from_.reset();
  return take_if([&](const Delivery& delivery) {
    const bool expired = delivery.message->expired(now);
    if (!expired) expires_from_ = earlier(expires_from_, delivery.message->expires());
    return expired;
  });
}

std::vector<Delivery> DeliveryQueue::take_shared(const std::set<TopicTree::Position>& groups) {
  return take_if(
      [&](const Delivery& delivery) { return delivery.shared && groups.contains(*delivery.shared); });
}

void DeliveryQueue::put_in_order() {
  if (waiting_) std::ranges::sort(*waiting_, comes_before);
}

}  // namespace mqtt::broker
