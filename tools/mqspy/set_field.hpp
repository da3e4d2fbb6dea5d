#pragma once
#include <optional>
#include <string>

#include <mqtt/codec/packet.hpp>

#include "mqspy/fault_rule.hpp"

namespace mq::spy {

/// Whether packets can be made with another value of it.
[[nodiscard]] bool can_set(SelectorField field);

/// The packet with the change, encoded; nothing if it has no such field, or cannot be encoded so.
[[nodiscard]] std::optional<std::string> with_change(const mqtt::PacketView& packet, mqtt::Version version,
                                                     const FieldChange& change);

/// The bytes of a packet; nothing if it cannot be encoded.
[[nodiscard]] std::optional<std::string> encoded(const mqtt::PacketView& packet, mqtt::Version version);

/// What the receiver of `packet` would answer with this code: PUBACK to PUBLISH, SUBACK to SUBSCRIBE. Nothing
/// if it has no answer.
[[nodiscard]] std::optional<std::string> answer_to(const mqtt::PacketView& packet, mqtt::Version version,
                                                   mqtt::ReasonCode reason);

}  // namespace mq::spy
