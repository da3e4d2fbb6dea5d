#include "messages/subscription.hpp"

#include <fmt/format.h>

#include <optional>

#include <mqtt/codec/topic.hpp>
#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"

namespace mq {
namespace {

using Fault = std::optional<std::string>;

/// Subscription Identifiers are Variable Byte Integers above 0 (3.8.2.1.2).
constexpr std::uint32_t subscription_id_max = 268'435'455;

std::optional<std::uint32_t> number_up_to(std::string_view text, std::uint32_t max) {
  const auto number = mqtt::parse_number<std::uint32_t>(text);
  return number && *number <= max ? number : std::nullopt;
}

Fault apply_number(Subscription& subscription, std::string_view name, std::string_view value) {
  if (name == "qos") {
    const auto qos = number_up_to(value, 2);
    if (!qos) return fmt::format("{} is not a quality of service: 0, 1 or 2", in_quotes(value));
    subscription.options.qos = static_cast<mqtt::QoS>(*qos);
  } else if (name == "rh") {
    const auto handling = number_up_to(value, 2);
    if (!handling) return fmt::format("{} is not a Retain Handling: 0, 1 or 2", in_quotes(value));
    subscription.options.retain_handling = static_cast<mqtt::RetainHandling>(*handling);
  } else if (name == "id") {
    const auto id = number_up_to(value, subscription_id_max);
    if (!id || *id == 0)
      return fmt::format("{} is not an identifier from 1 to {}", in_quotes(value), subscription_id_max);
    subscription.id = *id;
  } else {
    return fmt::format("{} is none of qos=, rh=, id=, no-local and rap", in_quotes(name));
  }
  return std::nullopt;
}

Fault apply(Subscription& subscription, std::string_view option) {
  if (option == "no-local") return subscription.options.no_local = true, std::nullopt;
  if (option == "rap") return subscription.options.retain_as_published = true, std::nullopt;
  const std::size_t equals = option.find('=');
  if (equals == option.npos) return apply_number(subscription, option, {});
  return apply_number(subscription, option.substr(0, equals), option.substr(equals + 1));
}

}  // namespace

std::expected<Subscription, std::string> parse_subscription(std::string_view text,
                                                            const mqtt::SubscriptionOptions& defaults) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos)
    return std::unexpected(
        fmt::format("{} has no colon between options and filter: qos=1,id=4:a/#", in_quotes(text)));
  Subscription subscription{.filter = std::string{text.substr(colon + 1)}, .options = defaults};
  for (std::string_view rest = text.substr(0, colon); !rest.empty();) {
    const std::size_t comma = rest.find(',');
    if (auto fault = apply(subscription, rest.substr(0, comma))) return std::unexpected(std::move(*fault));
    rest = comma == rest.npos ? std::string_view{} : rest.substr(comma + 1);
  }
  return subscription;
}

std::string filter_fault(std::string_view verb, std::string_view filter) {
  const auto fault = mqtt::find_topic_filter_error(filter);
  if (!fault) return {};
  return fmt::format("cannot {} {}: {} [{}]", verb, in_quotes(filter), fault->what, fault->clause.v5);
}

}  // namespace mq
