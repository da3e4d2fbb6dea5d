#include "mqspy/packet_input.hpp"

#include <gtest/gtest.h>

#include "support/hex.hpp"

namespace mq::spy {
namespace {

TEST(PacketInput, HexadecimalDigitsHaveManySpellings) {
  for (const char* text : {"c000", "C0 00", "c0:00", "0xc0, 0x00", " c0\n00\n"})
    EXPECT_EQ(from_hex(text), (std::string{"\xc0\0", 2})) << text;
  for (const char* text : {"", " ", "c", "c0 0", "c 0", "xyz", "0x"}) EXPECT_FALSE(from_hex(text)) << text;
}

TEST(PacketInput, BytesThatAreNoTextAreThemselves) {
  const std::string ping{"\xc0\0", 2};
  EXPECT_EQ(bytes_of(ping), ping);
  EXPECT_EQ(bytes_of("wAA=\n"), ping);
}

TEST(PacketInput, APacketIsWholeOrNot) {
  EXPECT_EQ(whole_packet(mqtt::test::unhex("c0 00 d0 00")), 2u);
  EXPECT_FALSE(whole_packet(mqtt::test::unhex("30 05 00")));
  EXPECT_FALSE(whole_packet(mqtt::test::unhex("30 ff ff ff ff 01")));
  EXPECT_FALSE(whole_packet(mqtt::test::unhex("30")));
}

TEST(PacketInput, TheSenderIsWhoCanHaveSentIt) {
  using enum mqtt::Sender;
  EXPECT_EQ(guess_sender(mqtt::test::unhex("d0 00"), mqtt::Version::v5), server);
  EXPECT_EQ(guess_sender(mqtt::test::unhex("c0 00"), mqtt::Version::v5), client);
  EXPECT_EQ(guess_sender(mqtt::test::unhex("30 06 00 01 'a' 02 0b 01"), mqtt::Version::v5), server);
}

}  // namespace
}  // namespace mq::spy
