#include "messages/subscriber.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/spelling.hpp"

namespace mq {
namespace {

/// Fixed header, packet identifier and property length at their longest.
constexpr std::size_t subscribe_overhead_bytes = 5 + 2 + 4;

mqtt::SubscriptionOptions options_before_v5(const mqtt::SubscriptionOptions& options) {
  return {.qos = options.qos};
}

}  // namespace

void cap_receive_maximum(mqtt::ConnectOptions& connect, std::uint64_t wanted) {
  using mqtt::PropertyId;
  if (connect.version != mqtt::Version::v5) return;
  const std::uint64_t allowed =
      connect.properties.view().number_or(PropertyId::receive_maximum, mqtt::receive_maximum_default);
  connect.properties.set(PropertyId::receive_maximum, static_cast<std::uint32_t>(std::min(wanted, allowed)));
}

mqtt::Properties Subscriber::properties_of(std::size_t first, mqtt::Version version) const {
  mqtt::Properties properties = plan_.subscribe_properties;
  const std::uint32_t id = plan_.subscriptions[first].id;
  if (id != 0 && version == mqtt::Version::v5) properties.add(mqtt::PropertyId::subscription_identifier, id);
  return properties;
}

/// A Subscription Identifier is the whole packet's (3.8.2.1.2).
std::size_t Subscriber::filters_that_fit(std::size_t first, const mqtt::ClientSession& session) const {
  const std::size_t most = session.limits().maximum_packet_size;
  const auto& all = plan_.subscriptions;
  std::size_t size =
      subscribe_overhead_bytes + properties_of(first, session.version()).view().encoded().size();
  std::size_t count = 0;
  for (; first + count < all.size() && all[first + count].id == all[first].id; ++count) {
    size += 2 + all[first + count].filter.size() + 1;
    if (size > most) break;
  }
  return std::max<std::size_t>(count, 1);  // what does not fit alone is the session's to refuse
}

bool Subscriber::send_subscribe(mqtt::ClientSession& session, mqtt::TimePoint now, std::size_t first,
                                std::size_t count) {
  const bool v5 = session.version() == mqtt::Version::v5;
  mqtt::SubscriptionList list;
  for (std::size_t i = first; i < first + count; ++i) {
    const Subscription& each = plan_.subscriptions[i];
    list.add(each.filter, v5 ? each.options : options_before_v5(each.options));
  }
  const auto id = session.subscribe(now, list.view(), properties_of(first, session.version()));
  if (!id) return diag_.error(cannot_subscribe(plan_.subscriptions[first].filter, id.error())), false;
  requests_.push_back({*id, first});
  return true;
}

bool Subscriber::send_unsubscribe(mqtt::ClientSession& session, mqtt::TimePoint now) {
  if (plan_.unsubscribe.empty()) return true;
  mqtt::FilterList list;
  for (const std::string& filter : plan_.unsubscribe) list.add(filter);
  const auto id = session.unsubscribe(now, list.view(), plan_.unsubscribe_properties);
  if (!id) {
    diag_.error(
        fmt::format("cannot unsubscribe from '{}': {}", elided(plan_.unsubscribe[0]), id.error().context));
    return false;
  }
  unsubscribing_ = *id;
  return true;
}

Subscriber::Outcome Subscriber::subscribe(mqtt::ClientSession& session, mqtt::TimePoint now) {
  requests_.clear();
  answers_.clear();
  unsubscribing_.reset();
  refused_ = 0;
  unsubscribe_refused_ = false;
  for (std::size_t first = 0; first < plan_.subscriptions.size();) {
    const std::size_t count = filters_that_fit(first, session);
    if (!send_subscribe(session, now, first, count)) return Outcome::refused;
    first += count;
  }
  if (!send_unsubscribe(session, now)) return Outcome::refused;
  return outcome();
}

Subscriber::Outcome Subscriber::outcome() const {
  if (!requests_.empty() || unsubscribing_) return Outcome::waiting;
  const std::size_t all = plan_.subscriptions.size();
  const bool too_many = plan_.allow_partial ? all > 0 && refused_ == all : refused_ > 0;
  return too_many || unsubscribe_refused_ ? Outcome::refused : Outcome::granted;
}

Subscriber::Outcome Subscriber::on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback) {
  const auto request = std::ranges::find(requests_, id, &Request::id);
  if (request == requests_.end()) return Outcome::waiting;
  for (std::size_t i = 0; i < suback.reasons.size(); ++i)
    judge(plan_.subscriptions[request->first + i], static_cast<mqtt::ReasonCode>(suback.reasons[i]),
          suback.properties);
  requests_.erase(request);
  return outcome();
}

void Subscriber::judge(const Subscription& subscription, mqtt::ReasonCode code,
                       mqtt::PropertiesView properties) {
  answers_.push_back({subscription.filter, code});
  if (mqtt::is_error(code)) {
    ++refused_;
    return diag_.error(subscription_refused(subscription.filter, code, properties));
  }
  const unsigned asked = mqtt::to_number(subscription.options.qos);
  if (static_cast<std::uint8_t>(code) < asked)
    diag_.warning(fmt::format("subscription to '{}' was granted QoS {} instead of {}", subscription.filter,
                              static_cast<unsigned>(code), asked));
}

Subscriber::Outcome Subscriber::on_unsubscribed(mqtt::PacketId id, const mqtt::UnsubackView& unsuback) {
  if (unsubscribing_ != id) return Outcome::waiting;
  unsubscribing_.reset();
  for (std::size_t i = 0; i < unsuback.reasons.size(); ++i) {
    const auto code = static_cast<mqtt::ReasonCode>(unsuback.reasons[i]);
    const std::string& filter = plan_.unsubscribe[i];
    if (code == mqtt::ReasonCode::no_subscription_existed)
      diag_.warning(fmt::format("there was no subscription to '{}'", filter));
    if (!mqtt::is_error(code)) continue;
    unsubscribe_refused_ = true;
    diag_.error(fmt::format("the server refuses to unsubscribe from '{}': {}", filter,
                            name_and_code(code, mqtt::PacketType::unsuback)));
  }
  return outcome();
}

}  // namespace mq
