#pragma once
#include <expected>
#include <string_view>

#include "common/options.hpp"

namespace mq {

/// Of a replay: "2", "0.5"; "max" is 0.
[[nodiscard]] std::expected<double, ValueFault> parse_speed(std::string_view text);

}  // namespace mq
