#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include <mqtt/net/address.hpp>

namespace mqtt {

/// The servers that a Server Reference names (MQTT 5.0, 4.11): "other.example", "10.0.0.1:8883",
/// "[::1]:1883", separated by spaces, in their order. What is not of this form is left out; at most
/// server_references_max are taken.
[[nodiscard]] std::vector<net::HostPort> parse_server_reference(std::string_view text,
                                                                std::uint16_t default_port);

inline constexpr std::size_t server_references_max = 16;

}  // namespace mqtt
