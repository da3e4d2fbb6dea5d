#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include <mqtt/codec/packet.hpp>

namespace mqtt::broker {

/// The broker's handle of a client session.
using SubscriberId = std::uint32_t;

/// A subscriber's subscription to one filter.
struct Subscription {
  SubscriberId subscriber = 0;
  SubscriptionOptions options;
  std::uint32_t identifier = 0;  // Subscription Identifier (3.8.2.1.2); 0: none

  bool operator==(const Subscription&) const = default;
};
static_assert(sizeof(Subscription) == 12, "a million of them are kept");

/// Subscriptions of different subscribers to one filter, found in logarithmic time: in the order of
/// their ids, so a subscriber that came later usually goes to the end.
class SubscriptionList {
 public:
  [[nodiscard]] std::span<const Subscription> view() const { return list_; }
  [[nodiscard]] std::size_t size() const { return list_.size(); }
  [[nodiscard]] bool empty() const { return list_.empty(); }

  /// Where the subscription of `subscriber` stands, or would stand.
  [[nodiscard]] std::size_t place_of(SubscriberId subscriber) const;
  [[nodiscard]] const Subscription* find(SubscriberId subscriber) const;
  /// True: one of this subscriber was there and is replaced [MQTT-3.8.4-3].
  bool put(const Subscription& subscription);
  /// False: there was none.
  bool erase(SubscriberId subscriber);

 private:
  std::vector<Subscription> list_;
};

}  // namespace mqtt::broker
