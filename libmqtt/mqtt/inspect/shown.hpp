#pragma once
#include <string>
#include <string_view>

#include <mqtt/util/base64.hpp>
#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt {

/// Text as it is where it can stand in a line, else "base64:" and that.
[[nodiscard]] inline std::string shown(std::string_view text) {
  return is_mqtt_utf8(as_bytes(text)) ? escape_for_terminal(text) : "base64:" + to_base64(as_bytes(text));
}

}  // namespace mqtt
