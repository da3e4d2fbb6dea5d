#pragma once
#include <span>
#include <string>
#include <string_view>

namespace mq {

/// How many single-letter changes (insert, remove, replace, swap neighbours) make one word the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The long option name that `typed` was most likely meant to be; empty if none is near.
[[nodiscard]] std::string_view closest_name(std::string_view typed, std::span<const std::string> names);

/// 'text' for a message: what a terminal would obey is escaped.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace mq
