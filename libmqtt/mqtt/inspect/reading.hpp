#pragma once
#include <mqtt/codec/decode.hpp>

// Bytes that are to be a packet, and may be anything.

namespace mqtt {

/// A Variable Byte Integer of up to four bytes, minimal or not.
struct Varint {
  std::uint32_t value = 0;
  std::uint8_t size = 0;  ///< 0: it does not end
};
[[nodiscard]] Varint read_varint(Bytes in);

/// The packet that `bytes` begin with, or what there is of it.
[[nodiscard]] Bytes first_packet(Bytes bytes);

/// What can be read of `packet`, as first_packet() gives it, and all that is wrong with it: with its length
/// first, as its receiver would see it, and then as decode_all(). The end of a cut packet is no fault of the
/// field that it falls into.
[[nodiscard]] Reading read_packet(Bytes packet, DecodeContext context);

}  // namespace mqtt
