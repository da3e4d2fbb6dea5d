#include <mqtt/session/subscription_check.hpp>

#include <fmt/format.h>

#include <mqtt/codec/topic.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt {
namespace {

Result<void> check_options(const SubscriptionView& subscription, Version version) {
  const SubscriptionOptions& options = subscription.options;
  if (to_number(options.qos) > 2 || static_cast<unsigned>(options.retain_handling) > 2)
    return fail(SessionFault::bad_option, "QoS and Retain Handling go up to 2");
  if (version != Version::v5 && options != SubscriptionOptions{.qos = options.qos})
    return fail(
        SessionFault::bad_option,
        fmt::format("MQTT {} has no subscription option but QoS; No Local, Retain As Published and Retain "
                    "Handling need MQTT 5.0",
                    to_string(version)));
  if (options.no_local && !split_shared(subscription.filter).share_name.empty())
    return fail(SessionFault::bad_option, "No Local cannot stand on a shared subscription [MQTT-3.8.3-4]");
  return {};
}

}  // namespace

Result<void> check_filters(SubscriptionsView list, Version version) {
  if (list.encoded().empty()) return fail(SessionFault::invalid_topic, "there is no topic filter");
  for (const SubscriptionView& subscription : list) {
    const auto fault = find_topic_filter_error(subscription.filter);
    if (!fault) continue;
    return fail(SessionFault::invalid_topic, fmt::format("\"{}\" cannot be a topic filter: {} [{}]",
                                                         escape_for_terminal(subscription.filter),
                                                         fault->what, fault->clause.id(version)));
  }
  return {};
}

Result<void> check_options(SubscriptionsView list, Version version) {
  for (const SubscriptionView& subscription : list)
    if (auto ok = check_options(subscription, version); !ok) return ok;
  return {};
}

Result<void> check_available(SubscriptionsView list, PropertiesView properties, const ServerLimits& limits) {
  if (!limits.subscription_identifier_available && properties.find(PropertyId::subscription_identifier))
    return fail(SessionFault::subscription_identifier_not_supported,
                "the server does not support Subscription Identifiers");
  for (const SubscriptionView& subscription : list) {
    const auto [share_name, filter] = split_shared(subscription.filter);
    if (!limits.shared_available && !share_name.empty())
      return fail(SessionFault::shared_not_supported, "the server does not support shared subscriptions");
    if (!limits.wildcard_available && has_wildcard(filter))
      return fail(SessionFault::wildcard_not_supported,
                  "the server does not support wildcards in topic filters");
  }
  return {};
}

}  // namespace mqtt
