#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>

#include <mqtt/codec/topic.hpp>

#include "mqsub/option_parts.hpp"

namespace mq::detail {
namespace {

using mqtt::PropertyPlace;
using mqtt::RetainHandling;
using mqtt::Version;
using Fault = std::optional<std::string>;

Fault check_filters(const SubConfig& config) {
  const SubscriptionPlan& plan = config.plan;
  if (plan.subscriptions.empty() && plan.unsubscribe.empty())
    return "there is nothing to subscribe to: use -t";
  for (const Subscription& each : plan.subscriptions) {
    if (auto fault = filter_fault("subscribe to", each.filter); !fault.empty()) return fault;
    if (each.options.no_local && !mqtt::split_shared(each.filter).share_name.empty())
      return fmt::format(
          "cannot subscribe to '{}': no-local cannot stand on a shared subscription "
          "[MQTT-3.8.3-4]",
          each.filter);
  }
  for (const std::string& filter : plan.unsubscribe)
    if (auto fault = filter_fault("unsubscribe from", filter); !fault.empty()) return fault;
  return std::nullopt;
}

Fault add_subscriptions(SubConfig& config) {
  const mqtt::SubscriptionOptions& options = config.typed.subscription;
  for (std::string& filter : config.typed.filters)
    config.plan.subscriptions.push_back({.filter = std::move(filter), .options = options});
  if (!config.connection.url_topic.empty())
    config.plan.subscriptions.push_back({.filter = config.connection.url_topic, .options = options});
  for (const std::string& text : config.typed.subscriptions) {
    auto subscription = parse_subscription(text, options);
    if (!subscription) return fmt::format("option '--sub': {}", subscription.error());
    config.plan.subscriptions.push_back(std::move(*subscription));
  }
  return std::nullopt;
}

/// An identifier is a packet's: filters with the same one go together, otherwise in the order given.
void group_by_id(SubscriptionPlan& plan) {
  std::map<std::uint32_t, std::vector<Subscription>> groups;
  for (Subscription& each : plan.subscriptions) groups[each.id].push_back(std::move(each));
  plan.subscriptions.clear();
  for (auto& [id, group] : groups) std::ranges::move(group, std::back_inserter(plan.subscriptions));
}

Fault check_versions(SubConfig& config) {
  const auto& all = config.plan.subscriptions;
  if (std::ranges::none_of(all, &Subscription::needs_v5)) return std::nullopt;
  config.connection.needs_v5 = true;
  const Version version = config.connection.version.value_or(Version::v5);
  if (version == Version::v5) return std::nullopt;
  return fmt::format("subscription options other than the QoS need MQTT 5, but option '-V' asks for {}",
                     to_string(version));
}

Fault check_identifiers(const SubConfig& config) {
  const bool by_property =
      config.plan.subscribe_properties.view().find(mqtt::PropertyId::subscription_identifier).has_value();
  const bool by_option =
      std::ranges::any_of(config.plan.subscriptions, [](const Subscription& each) { return each.id != 0; });
  if (by_property && by_option) return "options '--sub id=' and '-D' both give the Subscription Identifier";
  return std::nullopt;
}

/// Not a wish that needs MQTT 5.0: before it, the flag of the messages tells.
void apply_fresh(SubConfig& config) {
  if (!config.selection.fresh) return;
  for (Subscription& each : config.plan.subscriptions)
    each.options.retain_handling = RetainHandling::do_not_send;
}

}  // namespace

void declare_subscription_options(Options& o, SubConfig& config) {
  constexpr std::string_view group = "Subscription";
  mqtt::SubscriptionOptions& subscription = config.typed.subscription;
  o.list("-t,--topic", config.typed.filters)
      .metavar("FILTER")
      .group(group)
      .text("subscribe to this topic filter; may be given many times")
      .example("-t 'home/+/temperature'");
  o.list("--sub", config.typed.subscriptions)
      .metavar("OPTIONS:FILTER")
      .group(group)
      .text(
          "subscribe with options of its own, which end at the first colon: qos=, rh= (Retain Handling 0 to "
          "2), id=, no-local, rap (retain as published)")
      .example("--sub 'qos=1,no-local,rap,rh=2,id=4:a/#'");
  o.choice("-q,--qos", subscription.qos,
           {{"0", mqtt::QoS::at_most_once}, {"1", mqtt::QoS::at_least_once}, {"2", mqtt::QoS::exactly_once}})
      .metavar("QOS")
      .group(group)
      .text("the highest quality of service at which messages are delivered");
  o.flag("--retain-as-published", subscription.retain_as_published)
      .group(group)
      .text("the retain flag of a message is as its publisher set it (MQTT 5)");
  o.choice("--retain-handling", subscription.retain_handling,
           {{"always", RetainHandling::send},
            {"new", RetainHandling::send_if_new},
            {"never", RetainHandling::do_not_send}})
      .metavar("WHEN")
      .group(group)
      .text(
          "whether the server sends what it has retained: always, for a new subscription only, or never "
          "(MQTT 5)");
  o.list("-U,--unsubscribe", config.plan.unsubscribe)
      .metavar("FILTER")
      .group(group)
      .text("end this subscription of a kept session (-c); may be given many times");
  o.flag("--allow-partial", config.plan.allow_partial)
      .group(group)
      .text("go on as long as one filter was granted");
}

std::optional<std::string> join_subscriptions(const Options& options, SubConfig& config) {
  // A backup keeps the QoS of each message, unless asked otherwise.
  const bool whole = !config.retained_backup.empty() && !options.given("--qos");
  if (whole) config.typed.subscription.qos = mqtt::QoS::exactly_once;
  config.plan.subscribe_properties = config.connection.properties.at(PropertyPlace::subscribe);
  config.plan.unsubscribe_properties = config.connection.properties.at(PropertyPlace::unsubscribe);
  if (auto fault = add_subscriptions(config)) return fault;
  group_by_id(config.plan);
  if (auto fault = check_filters(config)) return fault;
  if (auto fault = check_versions(config)) return fault;
  if (auto fault = check_identifiers(config)) return fault;
  apply_fresh(config);
  return std::nullopt;
}

}  // namespace mq::detail
