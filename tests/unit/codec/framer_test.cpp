#include <mqtt/codec/framer.hpp>

#include <gtest/gtest.h>

#include <random>

#include "support/hex.hpp"
#include "support/packets.hpp"

namespace mqtt::test {
namespace {

TEST(Framer, LeavesWholePacketsInPlace) {
  const auto bytes = unhex("c0 00 30 03 00 01 't'");
  Framer framer;
  Bytes input = bytes;
  auto frame = framer.next(input);
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->bytes.data(), bytes.data());
  frame = framer.next(input);
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->bytes.data(), bytes.data() + 2);
  EXPECT_EQ((*frame)->type(), 3);
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(framer.held(), 0u);
}

TEST(Framer, AnySplitGivesTheSamePackets) {
  std::vector<std::uint8_t> stream;
  std::vector<std::vector<std::uint8_t>> packets;
  for (const Sample& sample : all_samples()) {
    packets.push_back(sample.bytes);
    stream.insert(stream.end(), sample.bytes.begin(), sample.bytes.end());
  }
  std::mt19937 random{3};
  for (const std::size_t largest : {1u, 2u, 5u, 60u, 1000u}) {
    Framer framer;
    std::size_t found = 0;
    for (std::size_t at = 0; at < stream.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % largest, stream.size() - at);
      const std::vector<std::uint8_t> piece(stream.begin() + static_cast<std::ptrdiff_t>(at),
                                            stream.begin() + static_cast<std::ptrdiff_t>(at + size));
      at += size;
      Bytes input = piece;
      for (;;) {
        const auto frame = framer.next(input);
        ASSERT_TRUE(frame);
        if (!*frame) break;
        ASSERT_LT(found, packets.size());
        ASSERT_TRUE(equal((*frame)->bytes, packets[found]));
        ++found;
      }
    }
    EXPECT_EQ(found, packets.size());
  }
}

TEST(Framer, RefusesTooLargeAPacketAtItsHeader) {
  Framer framer{100};
  const auto fits = unhex("30 62");
  Bytes input = fits;
  EXPECT_TRUE(framer.next(input));
  framer.reset();
  const auto large = unhex("30 63");
  input = large;
  const auto frame = framer.next(input);
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().reason, ReasonCode::packet_too_large);
}

TEST(Framer, BuffersWhatArrivesAndNotWhatTheHeaderPromises) {
  Framer framer;
  const auto header = unhex("30 ff ff ff 7f 00");  // 268,435,455 bytes to come
  Bytes input = header;
  const auto frame = framer.next(input);
  ASSERT_TRUE(frame);
  EXPECT_FALSE(*frame);
  EXPECT_EQ(framer.held(), header.size());
}

TEST(Framer, Mqtt_1_5_5_1_RejectsALengthNotInItsShortestForm) {
  for (const char* text : {"c0 80 00", "c0 80 80 00", "30 81 80 80 00"}) {
    for (const bool byte_wise : {false, true}) {
      const auto bytes = unhex(text);
      Framer framer;
      bool rejected = false;
      for (std::size_t i = 0; i < bytes.size() && !rejected; ++i) {
        Bytes input = byte_wise ? Bytes{bytes}.subspan(i, 1) : Bytes{bytes};
        const auto frame = framer.next(input);
        rejected = !frame && frame.error().clause == "MQTT-1.5.5-1";
      }
      EXPECT_TRUE(rejected) << text;
    }
  }
}

TEST(Framer, RejectsALengthOfFiveBytes) {
  const auto bytes = unhex("30 80 80 80 80 01");
  Framer framer;
  Bytes input = bytes;
  const auto frame = framer.next(input);
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().clause, "v5#1.5.5/rl-4-bytes");
}

}  // namespace
}  // namespace mqtt::test
