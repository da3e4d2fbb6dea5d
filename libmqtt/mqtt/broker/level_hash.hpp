#pragma once
#include <cstdint>
#include <string_view>

namespace mqtt::broker {

/// Hash of the edge from node `parent` along the level `text`. Level texts are chosen by clients: with
/// a random `seed` none can choose many that collide.
[[nodiscard]] std::uint32_t hash_level(std::uint64_t seed, std::uint32_t parent, std::string_view text);

}  // namespace mqtt::broker
