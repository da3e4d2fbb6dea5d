#pragma once
#include <cstdint>
#include <string_view>

#include <mqtt/codec/reason.hpp>

namespace mqtt {

/// Why bytes are not a valid packet: the reason code for the DISCONNECT or CONNACK that answers it,
/// the clause that was broken (of the version that was spoken) and what is wrong in our own words.
/// `clause` and `what` point to static storage. `offset` counts bytes from the packet's first one.
struct DecodeError {
  ReasonCode reason = ReasonCode::malformed_packet;
  std::string_view clause;
  std::string_view what;
  std::uint32_t offset = 0;
};

}  // namespace mqtt
