#pragma once
#include <cstdint>

#include <mqtt/util/bytes.hpp>

namespace mqtt {

/// CRC-32 as in zlib, gzip and Ethernet (ISO 3309, reflected, 0xEDB88320), of what `before` is the CRC of
/// with `bytes` behind it. Made for short texts: 28 bytes cost some ten nanoseconds.
[[nodiscard]] std::uint32_t crc32(Bytes bytes, std::uint32_t before = 0);

}  // namespace mqtt
