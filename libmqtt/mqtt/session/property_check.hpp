#pragma once
#include <mqtt/codec/property.hpp>
#include <mqtt/session/session_fault.hpp>

namespace mqtt {

/// A fault if `properties` may not stand there in a packet that `sender` sends.
[[nodiscard]] Result<void> check_properties(PropertiesView properties, PropertyPlace place, Sender sender,
                                            Version version);

}  // namespace mqtt
