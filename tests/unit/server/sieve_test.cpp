#include <mqtt/server/sieve.hpp>

#include <gtest/gtest.h>

#include <random>

#include "support/hex.hpp"
#include "support/packets.hpp"
#include "support/sieve_exercise.hpp"

namespace mqtt::server::test {
namespace {

using mqtt::test::encoded;
using mqtt::test::RandomPackets;
using mqtt::test::SieveExercise;
using mqtt::test::unhex;
using Stream = std::vector<std::uint8_t>;
using Cut = SieveExercise::Cut;

constexpr std::size_t no_bound = 1 << 20;

/// Of each packet that clients send one, with messages between, so that these follow and precede everything.
Stream mixed_stream(Version version) {
  Stream stream;
  RandomPackets random{7};
  const auto add = [&](const Stream& packet) { stream.insert(stream.end(), packet.begin(), packet.end()); };
  for (int type = 1; type <= 15; ++type) {
    const auto of_type = static_cast<PacketType>(type);
    if (!mqtt::test::travels(of_type, version, Sender::client)) continue;
    add(encoded(random.next(of_type, version, Sender::client), version));
    PublishView message;
    message.topic = "some/topic";
    message.payload = as_bytes(type % 2 == 0 ? "payload" : "");
    add(encoded(message, version));
  }
  return stream;
}

Stream message_of(std::size_t payload_size, std::string_view topic = "t") {
  const std::string payload(payload_size, 'x');
  PublishView message;
  message.topic = topic;
  message.payload = as_bytes(payload);
  return encoded(message, Version::v3_1_1);
}

/// In one piece: what comes first.
Sieve::Piece first_piece(Sieve& sieve, Bytes input, std::size_t kept_max = no_bound) {
  return sieve.next(input, kept_max);
}

class SieveVersions : public testing::TestWithParam<Version> {};

TEST_P(SieveVersions, CutAnywhereItGivesTheSameMessages) {
  const Stream stream = mixed_stream(GetParam());
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    const Cut cuts[] = {{cut, no_bound}};
    SieveExercise exercise{stream};
    EXPECT_EQ(exercise.run(cuts, no_bound), std::nullopt) << "cut at " << cut;
    EXPECT_EQ(exercise.messages_found(), exercise.messages()) << "cut at " << cut;
    EXPECT_GE(exercise.messages(), 8u);
    EXPECT_EQ(SieveExercise::find_ends(stream, cuts), std::nullopt) << "cut at " << cut;
  }
}

TEST_P(SieveVersions, KeepsNothingButCutHeadersIfItMayKeepNothing) {
  const Stream stream = mixed_stream(GetParam());
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    const Cut cuts[] = {{cut, 0}};
    EXPECT_EQ(SieveExercise{stream}.run(cuts, 0), std::nullopt) << "cut at " << cut;
  }
}

TEST_P(SieveVersions, SingleBytesAndPiecesOfAllSizes) {
  const Stream stream = mixed_stream(GetParam());
  std::mt19937 random{11};
  for (const std::size_t greatest : {1u, 2u, 7u, 40u, 300u}) {
    std::vector<Cut> cuts;
    for (std::size_t i = 0; i < stream.size(); ++i)
      cuts.push_back({1 + random() % greatest, random() % 2 * (random() % 200)});
    EXPECT_EQ(SieveExercise{stream}.run(cuts, no_bound), std::nullopt) << "pieces of up to " << greatest;
    EXPECT_EQ(SieveExercise::find_ends(stream, cuts), std::nullopt) << "pieces of up to " << greatest;
  }
}

INSTANTIATE_TEST_SUITE_P(Versions, SieveVersions, testing::Values(Version::v3_1_1, Version::v5),
                         [](const auto& each) {
                           return each.param == Version::v5 ? std::string{"v5"} : std::string{"v3_1_1"};
                         });

TEST(Sieve, CutTwiceAnywhere) {
  // A message, PINGREQ, one of QoS 1, an empty message, one with a header of three bytes, DISCONNECT.
  Stream stream = unhex("30 04 00 01 't' 'p' c0 00 32 05 00 01 't' 00 01 30 03 00 01 't'");
  const Stream longer = message_of(130);
  stream.insert(stream.end(), longer.begin(), longer.begin() + 8);
  const std::size_t head = stream.size();
  stream.insert(stream.end(), longer.begin() + 8, longer.end());
  stream.insert(stream.end(), {0xE0, 0x00});
  const std::size_t kept_maxes[] = {0, 6, no_bound};
  for (std::size_t first = 0; first <= head; ++first)
    for (std::size_t second = first; second <= head + 1; ++second)
      for (const std::size_t kept_max : kept_maxes)
        for (const std::size_t later : kept_maxes) {
          const Cut cuts[] = {{first, kept_max}, {second - first, later}};
          ASSERT_EQ(SieveExercise{stream}.run(cuts, kept_max), std::nullopt)
              << first << " " << second << " " << kept_max << " " << later;
          ASSERT_EQ(SieveExercise::find_ends(stream, cuts), std::nullopt) << first << " " << second;
        }
}

TEST(Sieve, SaysWhatAMessageIs) {
  Sieve sieve;
  const Stream whole = unhex("30 09 00 03 'a/b' 00 'pay'");
  const Sieve::Piece piece = first_piece(sieve, whole);
  EXPECT_EQ(piece.kind, Sieve::Kind::message);
  EXPECT_EQ(piece.bytes.data(), whole.data());
  EXPECT_EQ(piece.order, Sieve::Order::of_topic);
  EXPECT_FALSE(piece.copied);
  EXPECT_EQ(piece.topic, "a/b");
  EXPECT_EQ(as_text(piece.rest), std::string_view("\0pay", 4));
}

TEST(Sieve, TheTopicNeedNotBeValid) {
  for (const char* const packet : {"30 03 00 01 '+'", "30 04 00 02 c0 80", "30 03 00 01 00"}) {
    Sieve sieve;
    const Stream bytes = unhex(packet);
    EXPECT_EQ(first_piece(sieve, bytes).kind, Sieve::Kind::message) << packet;
  }
}

TEST(Sieve, OtherMessagesAreForTheBroker) {
  // QoS 1, QoS 2, QoS 3, retained, repeated, all of it; a body without a topic, and with less than it says.
  for (const char* const packet : {"32 05 00 01 't' 00 01", "34 05 00 01 't' 00 01", "36 05 00 01 't' 00 01",
                                   "31 03 00 01 't'", "38 03 00 01 't'", "3d 05 00 01 't' 00 01", "30 00",
                                   "30 02 00 00", "30 01 00", "30 03 00 02 't'", "30 03 01 01 't'"}) {
    Sieve sieve;
    const Stream bytes = unhex(packet);
    const Sieve::Piece piece = first_piece(sieve, bytes);
    EXPECT_EQ(piece.kind, Sieve::Kind::other) << packet;
    EXPECT_NE(piece.order, Sieve::Order::none) << packet;
    EXPECT_EQ(piece.bytes.size(), bytes.size()) << packet;
  }
}

TEST(Sieve, AnswersAndPingreqNeedNotKeepTheirPlace) {
  for (const char* const packet : {"40 02 00 01", "50 02 00 01", "62 02 00 01", "70 02 00 01", "c0 00"}) {
    Sieve sieve;
    const Stream bytes = unhex(packet);
    EXPECT_EQ(first_piece(sieve, bytes).order, Sieve::Order::none) << packet;
  }
  for (const char* const packet :
       {"10 02 00 00", "82 02 00 01", "a2 02 00 01", "e0 00", "f0 00", "00 00", "41 02 00 01", "60 02 00 01",
        "c1 00", "32 04 00 00 00 01", "30 03 00 02 't'"}) {
    Sieve sieve;
    const Stream bytes = unhex(packet);
    EXPECT_EQ(first_piece(sieve, bytes).order, Sieve::Order::all) << packet;
  }
}

TEST(Sieve, WhatIsLargerThanItMayKeepIsPassedOnAsItComes) {
  const Stream message = message_of(100);
  for (const std::size_t kept_max : {message.size() - 1, message.size()}) {
    Sieve sieve;
    Bytes first = Bytes{message}.first(50), second = Bytes{message}.subspan(50);
    const Sieve::Piece head = sieve.next(first, kept_max);
    const Sieve::Piece tail = sieve.next(second, kept_max);
    const bool keeps = kept_max == message.size();
    EXPECT_EQ(head.kind, keeps ? Sieve::Kind::nothing : Sieve::Kind::other);
    EXPECT_EQ(tail.kind, keeps ? Sieve::Kind::message : Sieve::Kind::other);
    EXPECT_EQ(tail.copied, keeps);
    EXPECT_EQ(tail.bytes.size(), keeps ? message.size() : message.size() - 50);
    EXPECT_TRUE(sieve.take_kept().empty());
  }
}

TEST(Sieve, GivesUpWhatItKeepsWhenItMayKeepItNoMore) {
  const Stream message = message_of(100);
  Sieve sieve;
  Bytes first = Bytes{message}.first(50), none{};
  EXPECT_EQ(sieve.next(first, no_bound).kind, Sieve::Kind::nothing);
  const Sieve::Piece given = sieve.next(none, 0);
  EXPECT_EQ(given.kind, Sieve::Kind::other);
  EXPECT_TRUE(equal(given.bytes, Bytes{message}.first(50)));
  EXPECT_EQ(sieve.next(none, 0).kind, Sieve::Kind::nothing);
  Bytes second = Bytes{message}.subspan(50);
  EXPECT_TRUE(equal(sieve.next(second, no_bound).bytes, Bytes{message}.subspan(50)));
}

TEST(Sieve, WhatWaitsCanBeTaken) {
  const Stream message = message_of(100);
  Sieve sieve;
  Bytes first = Bytes{message}.first(50);
  EXPECT_EQ(sieve.next(first, no_bound).kind, Sieve::Kind::nothing);
  EXPECT_TRUE(equal(sieve.take_kept(), Bytes{message}.first(50)));
  EXPECT_TRUE(sieve.take_kept().empty());
}

TEST(Sieve, BehindALengthThatIsNoneNothingIsAMessage) {
  // Five bytes of length; not in its shortest form, with a small one and with zero; whole and in single
  // bytes.
  for (const char* const start :
       {"30 80 80 80 80 01", "30 ff ff ff ff 7f", "30 83 00 00 01 't'", "c0 80 00", "30 80 80 00"}) {
    Stream stream = unhex("30 03 00 01 't'");
    const Stream bad = unhex(start), behind = unhex("30 03 00 01 't' c0 00");
    stream.insert(stream.end(), bad.begin(), bad.end());
    stream.insert(stream.end(), behind.begin(), behind.end());
    for (std::size_t size = 1; size <= stream.size(); ++size) {
      const std::vector<Cut> cuts(stream.size(), Cut{size, no_bound});
      SieveExercise exercise{stream};
      EXPECT_EQ(exercise.run(cuts, no_bound), std::nullopt) << start << " in pieces of " << size;
      EXPECT_EQ(exercise.messages_found(), 1u) << start;
    }
  }
}

TEST(Sieve, LengthsOfAllSizes) {
  for (const std::size_t payload : {124u, 125u, 16'380u, 16'381u, 2'097'148u, 2'097'149u}) {
    const Stream message = message_of(payload);
    for (const std::size_t cut : {1u, 2u, 3u, 4u, 5u, 6u, 7u}) {
      const Cut cuts[] = {{cut, 4 << 20}};
      SieveExercise exercise{message};
      EXPECT_EQ(exercise.run(cuts, 4 << 20), std::nullopt) << payload << " " << cut;
      EXPECT_EQ(exercise.messages_found(), 1u) << payload << " " << cut;
      EXPECT_EQ(SieveExercise::find_ends(message, cuts), std::nullopt) << payload << " " << cut;
    }
  }
}

TEST(PacketEnds, KnowWhatIsUnderWay) {
  PacketEnds ends;
  EXPECT_TRUE(ends.at_end());
  const Stream bytes = unhex("30 03 00 01 't' d0 00");
  EXPECT_EQ(ends.next(Bytes{bytes}.first(1)), 1u);
  EXPECT_FALSE(ends.at_end());
  EXPECT_EQ(ends.first_byte(), 0x30);
  EXPECT_EQ(ends.next(Bytes{bytes}.subspan(1)), 4u);
  EXPECT_TRUE(ends.at_end());
  EXPECT_EQ(ends.first_byte(), 0x30);
  EXPECT_EQ(ends.next(Bytes{bytes}.subspan(5)), 2u);
  EXPECT_TRUE(ends.at_end());
  EXPECT_EQ(ends.first_byte(), 0xD0);
  EXPECT_EQ(ends.next({}), 0u);
  EXPECT_TRUE(ends.at_end());
}

}  // namespace
}  // namespace mqtt::server::test
