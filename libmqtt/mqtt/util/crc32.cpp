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
  for (std::uint32_t octet = 0; octet < 256; ++octet) {
    std::uint32_t crc = octet;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? polynomial ^ crc >> 1 : crc >> 1;
    made[0][octet] = crc;
  }
  for (std::size_t n = 1; n < stride; ++n)
    for (std::size_t octet = 0; octet < 256; ++octet)
      made[n][octet] = made[n - 1][octet] >> 8 ^ made[0][made[n - 1][octet] & 0xFF];
  return made;
}();

template <std::size_t Count>
std::uint32_t take(std::uint32_t crc, Bytes& octets) {
  std::uint32_t next = Count < 4 ? crc >> 8 * Count : 0;
  for (std::size_t n = 0; n < Count; ++n)
    next ^= tables[Count - 1 - n][octets[n] ^ (n < 4 ? crc >> 8 * n & 0xFF : 0)];
  octets = octets.subspan(Count);
  return next;
}

}  // namespace

std::uint32_t crc32(Bytes octets, std::uint32_t before) {
  std::uint32_t crc = ~before;
  while (octets.size() >= stride) crc = take<stride>(crc, octets);
  if (octets.size() >= 4) crc = take<4>(crc, octets);
  while (!octets.empty()) crc = take<1>(crc, octets);
  return ~crc;
}

}  // namespace mqtt
