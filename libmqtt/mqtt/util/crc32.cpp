#include <mqtt/util/crc32.hpp>

#include <array>
#include <cstddef>

namespace mqtt {
namespace {

using Table = std::array<std::uint32_t, 256>;

constexpr std::size_t stride = 8;

/// tables[n] has what becomes of a byte that n others follow, so that those of a stride are looked up
/// independently of each other: "slicing" (Kounavis and Berry, 2005).
constexpr std::array<Table, stride> tables = [] {
  constexpr std::uint32_t polynomial = 0xEDB88320;
  std::array<Table, stride> made{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? polynomial ^ crc >> 1 : crc >> 1;
    made[0][byte] = crc;
  }
  for (std::size_t n = 1; n < stride; ++n)
    for (std::size_t byte = 0; byte < 256; ++byte)
      made[n][byte] = made[n - 1][byte] >> 8 ^ made[0][made[n - 1][byte] & 0xFF];
  return made;
}();

template <std::size_t Count>
std::uint32_t take(std::uint32_t crc, Bytes& bytes) {
  std::uint32_t next = Count < 4 ? crc >> 8 * Count : 0;
  for (std::size_t n = 0; n < Count; ++n)
    next ^= tables[Count - 1 - n][bytes[n] ^ (n < 4 ? crc >> 8 * n & 0xFF : 0)];
  bytes = bytes.subspan(Count);
  return next;
}

}  // namespace

std::uint32_t crc32(Bytes bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  while (bytes.size() >= stride) crc = take<stride>(crc, bytes);
  if (bytes.size() >= 4) crc = take<4>(crc, bytes);
  while (!bytes.empty()) crc = take<1>(crc, bytes);
  return ~crc;
}

}  // namespace mqtt
