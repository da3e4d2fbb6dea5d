#include <algorithm>

#include <mqtt/broker/session.hpp>

namespace mqtt::broker {

void DeliveryQueue::push(Delivery delivery) {
  if (!waiting_) waiting_ = std::make_unique<std::deque<Delivery>>();
  bytes_ += delivery.size_bytes();
  qos_0_ += delivery.qos == QoS::at_most_once;
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

std::optional<Delivery> DeliveryQueue::take_qos_0() {
  if (qos_0_ == 0) return std::nullopt;
  const auto found = std::ranges::find(*waiting_, QoS::at_most_once, &Delivery::qos);
  Delivery taken = std::move(*found);
  waiting_->erase(found);
  forget(taken);
  if (waiting_->empty()) waiting_.reset();
  return taken;
}

std::vector<Delivery> DeliveryQueue::take_shared(TopicTree::Position position) {
  std::vector<Delivery> taken;
  if (!waiting_) return taken;
  const auto by_it = [&](const Delivery& delivery) { return delivery.shared == position; };
  for (Delivery& delivery : *waiting_) {
    if (!by_it(delivery)) continue;
    forget(delivery);
    taken.push_back(delivery);
  }
  std::erase_if(*waiting_, by_it);
  if (waiting_->empty()) waiting_.reset();
  return taken;
}

}  // namespace mqtt::broker
