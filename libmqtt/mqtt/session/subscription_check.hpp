#pragma once
#include <mqtt/codec/packet.hpp>
#include <mqtt/session/limits.hpp>
#include <mqtt/session/session_fault.hpp>

namespace mqtt {

/// Whether a SUBSCRIBE or UNSUBSCRIBE may name these: at least one, each by the rules of 4.7.
[[nodiscard]] Result<void> check_filters(SubscriptionsView list, Version version);

/// Whether `version` has these subscription options, and they fit their filters [MQTT-3.8.3-4].
[[nodiscard]] Result<void> check_options(SubscriptionsView list, Version version);

/// Whether the server offers what SUBSCRIBE asks for (3.2.2.3.11 to 3.2.2.3.13).
[[nodiscard]] Result<void> check_available(SubscriptionsView list, PropertiesView properties,
                                           const ServerLimits& limits);

}  // namespace mqtt
