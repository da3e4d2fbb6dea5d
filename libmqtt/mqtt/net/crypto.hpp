#pragma once
#include <array>
#include <cstdint>

#include <mqtt/util/bytes.hpp>

namespace mqtt::net {

[[nodiscard]] std::array<std::uint8_t, 20> sha1(Bytes bytes);

/// From a cryptographically secure generator; cheap for a few bytes.
void fill_random(MutableBytes bytes);

}  // namespace mqtt::net
