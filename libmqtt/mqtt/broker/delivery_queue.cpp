#include <algorithm>

#include <mqtt/broker/session.hpp>

namespace mqtt::broker {

void DeliveryQueue::push(Delivery delivery) {
  if (!waiting_) waiting_ = std::make_unique<Waiting>();
  waiting_->bytes += delivery.size_bytes();
  waiting_->qos_0 += delivery.qos == QoS::at_most_once;
  waiting_->expires_from = earlier(waiting_->expires_from, delivery.message->expires());
  waiting_->list.push_back(std::move(delivery));
}

void DeliveryQueue::forget(const Delivery& delivery) {
  waiting_->bytes -= delivery.size_bytes();
  waiting_->qos_0 -= delivery.qos == QoS::at_most_once;
}

void DeliveryQueue::forget_if_empty() {
  if (waiting_->list.empty()) waiting_.reset();
}

Delivery DeliveryQueue::pop() {
  Delivery first = std::move(waiting_->list.front());
  waiting_->list.pop_front();
  forget(first);
  forget_if_empty();
  return first;
}

Delivery DeliveryQueue::pop_newest() {
  Delivery last = std::move(waiting_->list.back());
  waiting_->list.pop_back();
  forget(last);
  forget_if_empty();
  return last;
}

std::optional<Delivery> DeliveryQueue::take_qos_0() {
  if (!waiting_ || waiting_->qos_0 == 0) return std::nullopt;
  const auto found = std::ranges::find(waiting_->list, QoS::at_most_once, &Delivery::qos);
  Delivery taken = std::move(*found);
  waiting_->list.erase(found);
  forget(taken);
  forget_if_empty();
  return taken;
}

template <class Condition>
std::vector<Delivery> DeliveryQueue::take_if(Condition condition) {
  std::vector<Delivery> taken;
  if (!waiting_) return taken;
  std::deque<Delivery> kept;
  for (Delivery& delivery : waiting_->list) {
    const bool takes = condition(delivery);
    if (takes) forget(delivery);
    if (takes)
      taken.push_back(std::move(delivery));
    else
      kept.push_back(std::move(delivery));
  }
  waiting_->list.swap(kept);
  forget_if_empty();
  return taken;
}

std::vector<Delivery> DeliveryQueue::take_expired(TimePoint now) {
  if (!waiting_ || !waiting_->expires_from || *waiting_->expires_from > now) return {};
  waiting_->expires_from.reset();
  return take_if([&](const Delivery& delivery) {
    const bool expired = delivery.message->expired(now);
    if (!expired) waiting_->expires_from = earlier(waiting_->expires_from, delivery.message->expires());
    return expired;
  });
}

std::vector<Delivery> DeliveryQueue::take_shared(const std::set<TopicTree::Position>& groups) {
  return take_if(
      [&](const Delivery& delivery) { return delivery.shared && groups.contains(*delivery.shared); });
}

void DeliveryQueue::put_in_order() {
  if (waiting_) std::ranges::sort(waiting_->list, comes_before);
}

}  // namespace mqtt::broker
