#include "mqspy/capture.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mqspy/layers.hpp"
#include "support/hex.hpp"

namespace mq::spy {
namespace {

using mqtt::test::unhex;

class Captured final : public CaptureHandler {
 public:
  void on_captured(const CapturedPacket& packet) override {
    texts.push_back(mqtt::to_string(packet.bytes));
    times.push_back(packet.time.time_since_epoch().count());
  }
  std::vector<std::string> texts;
  std::vector<std::int64_t> times;
};

/// Two packets: "ab" at 1 s and 2 us, "cde" cut from nine.
std::vector<std::uint8_t> little_pcap() {
  return unhex(
      "d4 c3 b2 a1 02 00 04 00 00000000 00000000 ff ff 00 00 01 00 00 00"
      "01000000 02000000 02000000 02000000 'ab'"
      "02000000 00000000 03000000 09000000 'cde'");
}

TEST(Capture, PiecesOfAnySizeGiveTheSamePackets) {
  const auto file = little_pcap();
  for (std::size_t piece = 1; piece <= file.size(); ++piece) {
    CaptureReader reader;
    Captured out;
    std::size_t taken = 0;
    for (std::size_t seen = 0; seen < file.size();) {
      seen = std::min(seen + piece, file.size());
      const auto one = reader.take(mqtt::Bytes{file}.subspan(taken, seen - taken), out);
      ASSERT_TRUE(one) << one.error();
      taken += *one;
    }
    EXPECT_EQ(taken, file.size());
    EXPECT_EQ(out.texts, (std::vector<std::string>{"ab", "cde"}));
    EXPECT_EQ(out.times, (std::vector<std::int64_t>{1'000'002'000, 2'000'000'000}));
  }
}

TEST(Capture, ALengthThatCannotBeIsDamage) {
  auto file = little_pcap();
  file[24 + 11] = 0x7F;
  CaptureReader reader;
  Captured out;
  const auto taken = reader.take(file, out);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().find("the capture is damaged at byte 24"), 0u) << taken.error();
}

/// Ethernet, IPv4 and TCP from 10.0.0.7:1000 to 10.0.0.1:1883 with "hi".
std::vector<std::uint8_t> frame() {
  return unhex(
      "000000000000000000000000 0800"
      "45 00 002a 0001 0000 40 06 0000 0a000007 0a000001"
      "03e8 075b 00000001 00000002 50 18 ffff 0000 0000 'hi'");
}

TEST(Layers, AFrameIsItsSegment) {
  Dissected d;
  const std::vector<std::uint8_t> whole = frame();
  dissect_layers(d, {{}, LinkType::ethernet, whole, 56});
  ASSERT_EQ(d.kind, Dissected::Kind::tcp);
  EXPECT_EQ(to_string(d.tcp.from), "10.0.0.7:1000");
  EXPECT_EQ(to_string(d.tcp.to), "10.0.0.1:1883");
  EXPECT_EQ(mqtt::as_text(d.tcp.payload), "hi");
  EXPECT_EQ(d.tcp.payload_size, 2u);
}

TEST(Layers, CutAtEachByteIsDamagedOrShort) {
  const auto whole = frame();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::uint8_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    Dissected d;
    dissect_layers(d, {{}, LinkType::ethernet, cut, 56});
    if (d.kind == Dissected::Kind::tcp) {
      EXPECT_GE(size, 54u);
      EXPECT_EQ(d.tcp.payload.size(), size - 54);
      EXPECT_EQ(d.tcp.payload_size, 2u);
    } else {
      EXPECT_EQ(d.kind, Dissected::Kind::damaged) << size;
    }
  }
}

}  // namespace
}  // namespace mq::spy
