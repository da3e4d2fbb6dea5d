#include <algorithm>

#include <mqtt/codec/topic.hpp>
#include <mqtt/inspect/rules.hpp>

// The server's PUBLISH: which subscriptions it comes from, and what they say of it.

namespace mqtt {
namespace {

/// Deliveries are compared with up to so many subscriptions; a client with more is not judged.
constexpr std::size_t subscriptions_compared_max = 1000;

void add_id(Matches& found, std::uint32_t id) {
  if (id == 0)
    ++found.without_id;
  else if (std::ranges::find(found.ids, id) == found.ids.end())
    found.ids.push_back(id);
}

/// Whether `filter` has the topic, but for a $ at its start.
bool matches_behind_dollar(std::string_view filter, std::string_view topic) {
  return topic.starts_with('$') && !filter.starts_with('$') && topic_matches(filter, topic.substr(1));
}

void add_match(Matches& found, std::string_view filter, std::string_view topic,
               const KnownSubscription& subscription) {
  const std::string_view plain = split_shared(filter).filter;
  if (!topic_matches(plain, topic)) {
    found.by_wildcard_at_dollar = found.by_wildcard_at_dollar || matches_behind_dollar(plain, topic);
    return;
  }
  const bool is_shared = plain.size() != filter.size();
  found.any = true;
  found.shared = found.shared || is_shared;
  found.plain = found.plain || !is_shared;
  found.unsettled = found.unsettled || subscription.changed;
  found.retained_wanted =
      found.retained_wanted || subscription.options.retain_handling != RetainHandling::do_not_send;
  found.retained_as_published = found.retained_as_published || subscription.options.retain_as_published;
  found.without_as_published = found.without_as_published || !subscription.options.retain_as_published;
  found.own_wanted = found.own_wanted || !subscription.options.no_local;
  found.first_asked = std::min(found.first_asked, subscription.asked);
  found.last_granted = std::max(found.last_granted, subscription.granted);
  found.granted = std::max(found.granted, subscription.options.qos);
  add_id(found, subscription.id);
}

/// A request that is under way may be in force already.
void add_request(Matches& found, std::string_view topic, const OpenRequest& request) {
  for (const SubscriptionView& s : request.filters()) {
    if (request.type == PacketType::subscribe)
      add_match(found, s.filter, topic,
                {s.options, request.subscription_id, true, request.step.time, request.step.time});
    else
      found.unsettled = found.unsettled || topic_matches(split_shared(s.filter).filter, topic);
  }
}

std::optional<Matches> find_matches(const FlowState& state, std::string_view topic) {
  if (!state.subscriptions_known || topic.empty() || state.subscriptions.size() > subscriptions_compared_max)
    return std::nullopt;
  Matches found;
  for (const auto& [filter, subscription] : state.subscriptions)
    add_match(found, filter, topic, subscription);
  for (const auto& [id, request] : state.requests) add_request(found, topic, request);
  return found;
}

}  // namespace

/// Since the session began: with this connection, or with one that was seen.
bool Judge::all_subscriptions_seen() const {
  return fresh_session() || (state.all_seen() && state.resumed_known());
}

const Matches* Judge::matches() {
  if (!matched_ && from(Sender::server) && all_subscriptions_seen())
    matches_ = find_matches(state, packet_->topic);
  matched_ = true;
  return matches_ ? &*matches_ : nullptr;
}

namespace rules {
namespace {

using enum PacketType;

const PublishView& delivery(const Judge& j) { return *j.as<PublishView>(); }

void check_subscribed(Judge& j) {
  const Matches* found = j.matches();
  // What is sent again may be of a subscription that has ended.
  if (found && !found->any && !found->by_wildcard_at_dollar && !delivery(j).dup)
    j.report("Topic Name", std::string{j.packet().topic});
}

void check_dollar_topic(Judge& j) {
  const Matches* found = j.matches();
  if (found && !found->any && found->by_wildcard_at_dollar)
    j.report("Topic Name", std::string{j.packet().topic});
}

void check_granted_qos(Judge& j) {
  const Matches* found = j.matches();
  if (found && found->any && !found->unsettled && !delivery(j).dup && delivery(j).qos > found->granted)
    j.report("QoS level",
             fmt::format("{}, granted is {}", to_number(delivery(j).qos), to_number(found->granted)));
}

void check_subscription_id(Judge& j) {
  if (!j.from(server) || !j.fresh_session() || !j.state.subscriptions_known) return;
  const auto known = [&](std::uint32_t id) {
    return std::ranges::any_of(j.state.subscriptions, [&](const auto& s) { return s.second.id == id; }) ||
           std::ranges::any_of(j.state.requests,
                               [&](const auto& r) { return r.second.subscription_id == id; });
  };
  std::size_t nth = 0;
  for (const PropertyView& p : delivery(j).properties) {
    if (p.id != PropertyId::subscription_identifier) continue;
    if (!known(p.number)) j.report("Subscription Identifier", fmt::format("{}", p.number), 0, nth);
    ++nth;
  }
}

/// Each copy has the id of the subscription that it comes from, so one without comes from none.
void check_subscription_id_missing(Judge& j) {
  const Matches* found = j.matches();
  if (found && found->any && !found->unsettled && found->without_id == 0 &&
      !delivery(j).properties.find(PropertyId::subscription_identifier))
    j.report("Topic Name", fmt::format("{}", fmt::join(found->ids, ", ")));
}

/// A copy with one id may be one of several; one with several is the only one. A shared subscription has
/// copies of its own.
void check_all_subscription_ids(Judge& j) {
  const Matches* found = j.matches();
  if (!found || found->unsettled || found->shared || found->ids.size() < 3) return;
  std::vector<std::uint32_t> carried;
  for (const PropertyView& p : delivery(j).properties)
    if (p.id == PropertyId::subscription_identifier) carried.push_back(p.number);
  if (carried.size() < 2) return;
  for (const std::uint32_t id : found->ids)
    if (std::ranges::find(carried, id) == carried.end())
      return j.report("Subscription Identifier", fmt::format("{} is missing", id));
}

/// A stored message is never empty; only "retain as published" shows a publisher's RETAIN.
void check_empty_retained(Judge& j) {
  const PublishView& p = delivery(j);
  if (!p.retain || !p.payload.empty()) return;
  const Matches* found = j.matches();
  if (found && !found->retained_as_published) j.report("RETAIN");
}

void check_retained_unwanted(Judge& j) {
  if (!delivery(j).retain) return;
  const Matches* found = j.matches();
  if (found && found->any && !found->unsettled && !found->retained_wanted && !found->retained_as_published)
    j.report("RETAIN");
}

void check_retained_shared(Judge& j) {
  if (!delivery(j).retain) return;
  const Matches* found = j.matches();
  if (found && found->shared && !found->plain && !found->retained_as_published) j.report("RETAIN");
}

constexpr Rule delivery_table[] = {
    {{"MQTT-3.3.2-3"},
     Severity::warning,
     "delivered topic matches no subscription",
     on(publish),
     check_subscribed},
    {{"MQTT-4.7.2-1"},
     Severity::warning,
     "topic that starts with $ delivered to a wildcard",
     on(publish),
     check_dollar_topic},
    {{"MQTT-3.8.4-8", "MQTT-3.8.4-6"},
     Severity::error,
     "delivered with more than the granted QoS",
     on(publish),
     check_granted_qos},
    {{"v5#3.3.4/foreign-subid", none},
     Severity::error,
     "Subscription Identifier that was not subscribed with",
     on(publish),
     check_subscription_id},
    {{"MQTT-3.3.4-3", none},
     Severity::warning,
     "delivery without the Subscription Identifier of its subscriptions",
     on(publish),
     check_subscription_id_missing},
    {{"MQTT-3.3.4-4", none},
     Severity::warning,
     "delivery with some of its Subscription Identifiers, but not all",
     on(publish),
     check_all_subscription_ids},
    {{"MQTT-3.3.1-7", "MQTT-3.3.1-11"},
     Severity::warning,
     "empty message delivered as retained",
     on(publish),
     check_empty_retained},
    {{"MQTT-3.3.1-11", none},
     Severity::warning,
     "retained message for subscriptions that asked for none",
     on(publish),
     check_retained_unwanted},
    {{"v5#3.8.4/shared-retained", none},
     Severity::warning,
     "retained message for a shared subscription",
     on(publish),
     check_retained_shared},
};

}  // namespace

std::span<const Rule> delivering() { return delivery_table; }

}  // namespace rules
}  // namespace mqtt
