#include "mqbench/stamp.hpp"

#include <gtest/gtest.h>

#include <array>

namespace {

using namespace std::chrono_literals;
using mq::Stamp;
using mq::StampFault;
using mqtt::TimePoint;

using Payload = std::array<std::uint8_t, Stamp::size>;

Payload written(const Stamp& stamp) {
  Payload payload{};
  mq::write_stamp(stamp, payload);
  return payload;
}

const Stamp example{.run = 0xABCDEF,
                    .stream = 0xFFFF'FFFE,
                    .sequence = ~std::uint64_t{0} - 1,
                    .due = TimePoint{123'456'789'012'345ns},
                    .sent = TimePoint{123'456'789'099'999ns}};

TEST(Stamp, ReadsBackWhatItWrote) {
  const auto read = mq::read_stamp(written(example), example.run, example.sent + 1s);
  EXPECT_FALSE(read.fault);
  EXPECT_EQ(read.stamp, example);
}

TEST(Stamp, TimesAreWholeAgainAroundTheWrapOfTheirBits) {
  for (const std::int64_t wrap : {std::int64_t{1} << 48, std::int64_t{5} << 48}) {
    const Stamp stamp{
        .run = 1, .due = TimePoint{mqtt::Duration{wrap - 5}}, .sent = TimePoint{mqtt::Duration{wrap + 7}}};
    for (const mqtt::Duration later : {mqtt::Duration{0}, mqtt::Duration{30h}, mqtt::Duration{-3h}}) {
      const auto read = mq::read_stamp(written(stamp), 1, stamp.sent + later);
      EXPECT_EQ(read.stamp, stamp) << later.count();
    }
  }
}

TEST(Stamp, OneOfAnotherRunIsForeignAndSoIsAShortOne) {
  const Payload payload = written(example);
  EXPECT_EQ(mq::read_stamp(payload, 1, example.sent).fault, StampFault::foreign);
  for (std::size_t size = 0; size < payload.size(); ++size)
    EXPECT_EQ(mq::read_stamp(mqtt::Bytes{payload}.first(size), example.run, example.sent).fault,
              StampFault::foreign);
}

TEST(Stamp, EveryFlippedBitIsFound) {
  for (std::size_t bit = 0; bit < Stamp::size * 8; ++bit) {
    Payload payload = written(example);
    payload[bit / 8] = static_cast<std::uint8_t>(payload[bit / 8] ^ 1U << bit % 8);
    const auto read = mq::read_stamp(payload, example.run, example.sent);
    EXPECT_EQ(read.fault, bit < 32 ? StampFault::foreign : StampFault::corrupted) << bit;
  }
}

TEST(Stamp, CoversThePayloadIfItIsToldTo) {
  std::array<std::uint8_t, 40> payload{};
  payload[39] = 5;
  mq::write_stamp({.run = 1}, payload, mq::Covered::payload);
  EXPECT_FALSE(mq::read_stamp(payload, 1, {}, mq::Covered::payload).fault);
  EXPECT_EQ(mq::read_stamp(payload, 1, {}).fault, mq::StampFault::corrupted);
  payload[39] = 6;
  EXPECT_EQ(mq::read_stamp(payload, 1, {}, mq::Covered::payload).fault, mq::StampFault::corrupted);
}

}  // namespace
