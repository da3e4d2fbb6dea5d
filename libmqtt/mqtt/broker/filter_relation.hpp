#pragma once
#include <string_view>

namespace mqtt::broker {

/// Whether there can be a topic that matches both filters. Both must be valid, without "$share/NAME/".
[[nodiscard]] bool filters_overlap(std::string_view a, std::string_view b);

/// Whether every topic that matches `inner` matches `outer`.
[[nodiscard]] bool filter_covers(std::string_view outer, std::string_view inner);

}  // namespace mqtt::broker
