#pragma once
#include <span>
#include <string>
#include <string_view>

namespace mq {

/// How many single-letter changes (insert, remove, replace, swap neighbours) make one word the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The long option name that `typed` was most likely meant to be; empty if none is near.
[[nodiscard]] std::string_view closest_name(std::string_view typed, std::span<const std::string> names);

/// What a sentence holds of a topic or value: of a very long one its beginning and its size.
[[nodiscard]] std::string elided(std::string_view text);

/// 'text' for a message, elided: what a terminal would obey is escaped.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace mq
