#include <mqtt/util/siphash.hpp>

#include <gtest/gtest.h>

#include <string>

namespace mqtt::test {
namespace {

/// Of the paper's reference implementation: key 00 01 ... 0F, text 00 01 ... of each length.
TEST(SipHash, GivesTheReferenceVectors) {
  const SipKey key{0x0706050403020100, 0x0F0E0D0C0B0A0908};
  const std::uint64_t expected[] = {0x726FDB47DD0E0E31, 0x74F839C593DC67FD, 0x0D6C8009D9A94F5A,
                                    0x85676696D7FB7E2D, 0xCF2794E0277187B7, 0x18765564CD99A68D,
                                    0xCBC9466E58FEE3CE, 0xAB0200F58B01D137, 0x93F5F5799A932462};
  std::string text;
  for (const std::uint64_t hash : expected) {
    EXPECT_EQ(siphash(key, text), hash) << text.size();
    text.push_back(static_cast<char>(text.size()));
  }
  while (text.size() < 15) text.push_back(static_cast<char>(text.size()));
  EXPECT_EQ(siphash(key, text.substr(0, 15)), 0xA129CA6149BE45E5u);
}

TEST(SipHash, DerivesAKeyForEachPurpose) {
  const SipKey a = derive_key(1, "a"), b = derive_key(1, "b"), other = derive_key(SipKey{1, 1}, "a");
  EXPECT_NE(a.first, a.second);
  EXPECT_NE(a.first, b.first);
  EXPECT_NE(a.first, other.first) << "all 128 bits count";
}

}  // namespace
}  // namespace mqtt::test
