#pragma once
#include <string_view>

#include "common/options.hpp"

// For Option::must(): what options of several kinds ask of their values.

namespace mq {

/// For names of files and commands: an empty one is a script's variable that was not set.
[[nodiscard]] ValueResult not_empty(std::string_view value);

/// For a duration that is waited for: what is not to end is left out, or has a word of its own.
[[nodiscard]] ValueResult some_time(std::string_view value);

/// "192.0.2.1", "::1": to connect from, not a name.
[[nodiscard]] ValueResult ip_address(std::string_view value);

/// A string that a packet can hold: well-formed UTF-8 of at most 65,535 bytes [MQTT-1.5.4-1].
[[nodiscard]] ValueResult mqtt_string(std::string_view value);

/// What an HTTP request line can hold: "/mqtt", "/mqtt?signature=..." (RFC 9112, 3.2.1).
[[nodiscard]] ValueResult http_path(std::string_view value);

}  // namespace mq
