#include <mqtt/broker/subscription.hpp>

#include <algorithm>

namespace mqtt::broker {

std::size_t SubscriptionList::place_of(SubscriberId subscriber) const {
  const auto place = std::ranges::lower_bound(list_, subscriber, {}, &Subscription::subscriber);
  return static_cast<std::size_t>(place - list_.begin());
}

const Subscription* SubscriptionList::find(SubscriberId subscriber) const {
  const std::size_t place = place_of(subscriber);
  return place < size() && list_[place].subscriber == subscriber ? &list_[place] : nullptr;
}

bool SubscriptionList::put(const Subscription& subscription) {
  const std::size_t place = place_of(subscription.subscriber);
  if (place < size() && list_[place].subscriber == subscription.subscriber) {
    list_[place] = subscription;
    return true;
  }
  list_.insert(list_.begin() + static_cast<std::ptrdiff_t>(place), subscription);
  return false;
}

bool SubscriptionList::erase(SubscriberId subscriber) {
  if (!find(subscriber)) return false;
  list_.erase(list_.begin() + static_cast<std::ptrdiff_t>(place_of(subscriber)));
  // What a crowd took is given back when most of it has left.
  if (list_.size() < list_.capacity() / 4) list_.shrink_to_fit();
  return true;
}

}  // namespace mqtt::broker
