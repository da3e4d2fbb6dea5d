#include "mqspy/reassembly.hpp"

#include <string>

#include <gtest/gtest.h>

namespace mq::spy {
namespace {

class Text final : public StreamHandler {
 public:
  void on_bytes(unsigned, mqtt::TimePoint, mqtt::Bytes bytes) override { text += mqtt::as_text(bytes); }
  void on_missing(unsigned, mqtt::TimePoint, std::uint64_t bytes) override {
    text += "[" + std::to_string(bytes) + "]";
  }
  std::string text;
};

class Reassembly : public testing::Test {
 protected:
  void add(std::uint32_t at, std::string_view text, bool fin = false) {
    TcpSegment segment;
    segment.sequence = first_ + at;
    segment.payload = mqtt::as_bytes(text);
    segment.payload_size = static_cast<std::uint32_t>(text.size());
    segment.fin = fin;
    order_.add(0, segment, out_);
  }
  void acknowledge(std::uint32_t at) { order_.acknowledge(0, {}, first_ + at, out_); }

  std::uint32_t first_ = 0xFFFFFFFD;  // the numbers turn over behind three bytes
  StreamOrder order_;
  Text out_;
};

TEST_F(Reassembly, NumbersTurnOver) {
  for (std::uint32_t n = 0; n < 8; n += 2) add(n, "ab");
  EXPECT_EQ(out_.text, "abababab");
}

TEST_F(Reassembly, WhatComesEarlyWaits) {
  add(0, "ab");
  add(4, "ef");
  EXPECT_EQ(out_.text, "ab");
  add(2, "cd");
  EXPECT_EQ(out_.text, "abcdef");
  EXPECT_EQ(order_.waiting_bytes(), 0u);
}

TEST_F(Reassembly, TheFirstCopyWins) {
  add(0, "a");
  add(3, "de");
  add(2, "XXXXX");
  add(1, "bYY");
  EXPECT_EQ(out_.text, "abXdeXX");
}

TEST_F(Reassembly, AGapIsGivenUpWhenThePeerHasWhatIsBehindIt) {
  add(0, "ab");
  add(5, "fg");
  acknowledge(2);
  EXPECT_EQ(out_.text, "ab");
  acknowledge(7);
  EXPECT_EQ(out_.text, "ab[3]fg");
  add(2, "cde");  // too late
  EXPECT_EQ(out_.text, "ab[3]fg");
}

TEST_F(Reassembly, AnAcknowledgementThatWasCapturedBeforeItsDataIsNoGap) {
  add(0, "ab");
  acknowledge(4);
  add(2, "cd");
  EXPECT_EQ(out_.text, "abcd");
}

TEST_F(Reassembly, WhatWaitsIsBounded) {
  add(0, "ab");
  const std::string piece(60'000, 'x');
  std::uint32_t at = 100;
  for (std::size_t sum = 0; sum <= StreamOrder::waiting_max_bytes; sum += piece.size()) {
    add(at, piece);
    at += 60'000;
  }
  EXPECT_TRUE(out_.text.starts_with("ab[98]xxx"));
  EXPECT_EQ(order_.waiting_bytes(), 0u);
}

TEST_F(Reassembly, TheEndIsReachedWithTheBytesBeforeFin) {
  add(0, "ab");
  add(4, "e", true);
  EXPECT_FALSE(order_.ended());
  add(2, "cd");
  EXPECT_TRUE(order_.ended());
  order_.finish(0, {}, out_);
  EXPECT_EQ(out_.text, "abcde");
}

TEST_F(Reassembly, AtTheEndOfTheCaptureWhatWaitsIsHandedOver) {
  add(0, "ab");
  add(4, "e");
  order_.finish(0, {}, out_);
  EXPECT_EQ(out_.text, "ab[2]e");
}

}  // namespace
}  // namespace mq::spy
