#pragma once
#include <string>

#include <mqtt/client/ending.hpp>

#include "common/sentences.hpp"

namespace mq {

/// What a person could do about an ending; empty if nothing is likely enough to be said.
[[nodiscard]] std::string hint_for(const mqtt::Ending& ending, const Where& where);

/// The same for a single message or subscription that the server refused.
[[nodiscard]] std::string hint_for_publish(mqtt::ReasonCode code);
[[nodiscard]] std::string hint_for_subscription(mqtt::ReasonCode code);

}  // namespace mq
