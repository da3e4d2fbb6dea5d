#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/codec/packet.hpp>

namespace mq {

/// One topic filter and how it is subscribed to.
struct Subscription {
  std::string filter;
  mqtt::SubscriptionOptions options{};
  std::uint32_t id = 0;  ///< Subscription Identifier; 0 for none

  /// Only MQTT 5.0 can carry it out.
  [[nodiscard]] bool needs_v5() const {
    return id != 0 || options != mqtt::SubscriptionOptions{.qos = options.qos};
  }
};

/// Reads "qos=1,no-local,rap,rh=2,id=4:FILTER": options, a colon, and the filter verbatim, in which any
/// character may stand. What is not said is as in `defaults`; no option at all is ":FILTER". What is wrong
/// is said as the end of a sentence.
[[nodiscard]] std::expected<Subscription, std::string> parse_subscription(
    std::string_view text, const mqtt::SubscriptionOptions& defaults);

/// "cannot subscribe to 'a#': ... [MQTT-4.7.1-2]"; empty if it is a valid filter.
[[nodiscard]] std::string filter_fault(std::string_view verb, std::string_view filter);

}  // namespace mq
