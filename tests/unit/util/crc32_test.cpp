#include <mqtt/util/crc32.hpp>

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <vector>

namespace mqtt::test {
namespace {

TEST(Crc32, OfTheDigitsIsTheCheckValueOfItsCatalogue) {
  EXPECT_EQ(crc32(as_bytes("123456789")), 0xCBF43926u);
  EXPECT_EQ(crc32({}), 0u);
}

TEST(Crc32, IsThatOfZlibAtEveryLengthPlaceAndBeginning) {
  std::mt19937 random{7};
  std::vector<std::uint8_t> bytes(80);
  for (int round = 0; round < 50; ++round) {
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    const std::uint32_t before = round == 0 ? 0 : static_cast<std::uint32_t>(random());
    for (std::size_t size = 0; size <= 64; ++size) {
      const Bytes part = Bytes{bytes}.subspan(static_cast<std::size_t>(round) % 9, size);
      ASSERT_EQ(crc32(part, before), ::crc32_z(before, part.data(), part.size())) << size;
    }
  }
}

TEST(Crc32, GoesOnWhereItWasCut) {
  const Bytes whole = as_bytes("the quick brown fox jumps over the lazy dog");
  for (std::size_t at = 0; at <= whole.size(); ++at)
    EXPECT_EQ(crc32(whole.subspan(at), crc32(whole.first(at))), crc32(whole)) << at;
}

}  // namespace
}  // namespace mqtt::test
