#include "mqsub/subscriber.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mq {
namespace {

/// Fixed header, packet id and property length at their longest.
constexpr std::size_t subscribe_overhead_bytes = 5 + 2 + 4;

}  // namespace

mqtt::PropertiesView Subscriber::properties() const {
  return config_.connection.properties.at(mqtt::PropertyPlace::subscribe);
}

std::size_t Subscriber::filters_that_fit(std::size_t first, std::size_t max_packet_size) const {
  std::size_t size = subscribe_overhead_bytes + properties().encoded().size();
  std::size_t count = 0;
  for (; first + count < config_.filters.size(); ++count) {
    size += 2 + config_.filters[first + count].size() + 1;
    if (size > max_packet_size) break;
  }
  return std::max<std::size_t>(count, 1);  // what does not fit alone is the session's to refuse
}

Subscriber::Outcome Subscriber::subscribe(mqtt::ClientSession& session, mqtt::TimePoint now) {
  requests_.clear();
  refused_ = 0;
  for (std::size_t first = 0; first < config_.filters.size();) {
    const std::size_t count = filters_that_fit(first, session.limits().maximum_packet_size);
    mqtt::SubscriptionList list;
    for (std::size_t i = first; i < first + count; ++i) list.add(config_.filters[i], config_.subscription);
    const auto id = session.subscribe(now, list.view(), properties());
    if (!id) {
      diag_.error(cannot_subscribe(config_.filters[first], id.error()));
      return Outcome::refused;
    }
    requests_.push_back({*id, first});
    first += count;
  }
  return Outcome::waiting;
}

Subscriber::Outcome Subscriber::on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) {
  const auto request = std::ranges::find(requests_, id, &Request::id);
  if (request == requests_.end()) return Outcome::waiting;
  for (std::size_t i = 0; i < suback.reasons.size(); ++i)
    judge(request->first + i, static_cast<mqtt::ReasonCode>(suback.reasons[i]), suback.properties);
  requests_.erase(request);
  if (!requests_.empty()) return Outcome::waiting;
  const bool too_many = config_.allow_partial ? refused_ == config_.filters.size() : refused_ > 0;
  return too_many ? Outcome::refused : Outcome::granted;
}

void Subscriber::judge(std::size_t index, mqtt::ReasonCode code, mqtt::PropertiesView properties) {
  const std::string& filter = config_.filters[index];
  if (mqtt::is_error(code)) {
    ++refused_;
    return diag_.error(subscription_refused(filter, code, properties));
  }
  if (static_cast<std::uint8_t>(code) < mqtt::to_number(config_.subscription.qos))
    diag_.warning(fmt::format("subscription to '{}' was granted QoS {} instead of {}", filter,
                              static_cast<unsigned>(code), mqtt::to_number(config_.subscription.qos)));
}

}  // namespace mq
