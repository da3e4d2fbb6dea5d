#include <mqtt/codec/encode.hpp>

#include <gtest/gtest.h>

#include "support/hex.hpp"
#include "support/packets.hpp"

namespace mqtt::test {
namespace {

TEST(Encode, PublishIsByteExact) {
  const PublishView p{.dup = false,
                      .qos = QoS::at_least_once,
                      .retain = true,
                      .topic = "a/b",
                      .packet_id = 258,
                      .properties = {},
                      .payload = as_bytes("hi")};
  EXPECT_EQ(encoded(p, Version::v3_1_1), unhex("33 09 00 03 'a/b' 01 02 'hi'"));
  EXPECT_EQ(encoded(p, Version::v5), unhex("33 0a 00 03 'a/b' 01 02 00 'hi'"));
}

TEST(Encode, ConnectNamesItsProtocol) {
  ConnectView p;
  p.client_id = "c";
  p.version = Version::v3_1;
  EXPECT_EQ(encoded(p, Version::v3_1), unhex("10 0f 00 06 'MQIsdp' 03 02 00 00 00 01 'c'"));
  p.version = Version::v3_1_1;
  EXPECT_EQ(encoded(p, Version::v3_1_1), unhex("10 0d 00 04 'MQTT' 04 02 00 00 00 01 'c'"));
  p.version = Version::v5;
  EXPECT_EQ(encoded(p, Version::v5), unhex("10 0e 00 04 'MQTT' 05 02 00 00 00 00 01 'c'"));
}

TEST(Encode, AnswersUseTheShortForms) {
  EXPECT_EQ(encoded(PubackView{{1}}, Version::v5), unhex("40 02 00 01"));
  EXPECT_EQ(encoded(PubackView{{1, ReasonCode::quota_exceeded}}, Version::v5), unhex("40 03 00 01 97"));
  EXPECT_EQ(encoded(PubackView{{1, ReasonCode::quota_exceeded}}, Version::v3_1_1), unhex("40 02 00 01"));
  EXPECT_EQ(encoded(PubrelView{{1}}, Version::v5), unhex("62 02 00 01"));
  EXPECT_EQ(encoded(DisconnectView{}, Version::v5), unhex("e0 00"));
  EXPECT_EQ(encoded(DisconnectView{ReasonCode::disconnect_with_will, {}}, Version::v5), unhex("e0 01 04"));
  EXPECT_EQ(encoded(AuthView{}, Version::v5), unhex("f0 00"));
}

TEST(Encode, RefusesFieldsThatTheirLengthCannotSay) {
  const std::string longest(field_size_max, 't'), too_long(field_size_max + 1, 't');
  PublishView p;
  p.topic = longest;
  EXPECT_TRUE(encoded_size(p, Version::v5));
  p.topic = too_long;
  EXPECT_FALSE(encoded_size(p, Version::v5));
  ConnectView c;
  c.client_id = too_long;
  EXPECT_FALSE(encoded_size(c, Version::v5));
}

TEST(Encode, RefusesABodyAboveTheRemainingLengthMaximum) {
  PublishView p;
  p.topic = "t";
  const std::size_t header = 2 + 1 + 1;
  EXPECT_EQ(encoded_publish_size(p, remaining_length_max - header, Version::v5), packet_size_max);
  EXPECT_FALSE(encoded_publish_size(p, remaining_length_max - header + 1, Version::v5));
}

TEST(EncodePublish, ReferencesLargePayloadsThatHaveAnOwner) {
  const SharedBytes payload = SharedBytes::take(std::string(100'000, 'x'));
  ChunkPool pool;
  OutBuffer out{pool};
  PublishView p;
  p.topic = "t";
  ASSERT_TRUE(encode_publish(out, p, payload, Version::v5));
  iovec parts[4];
  ASSERT_EQ(out.gather(parts), 2u);
  EXPECT_EQ(parts[1].iov_base, static_cast<const void*>(payload.bytes.data()));
  EXPECT_EQ(payload.owner.use_count(), 2);
  out.consume(out.size());
  EXPECT_EQ(payload.owner.use_count(), 1);
}

TEST(EncodePublish, EqualsTheGenericEncoder) {
  RandomPackets packets{7};
  for (int i = 0; i < 500; ++i) {
    const PacketView packet = packets.next(PacketType::publish, Version::v5, Sender::server);
    const auto& p = std::get<PublishView>(packet);
    ChunkPool pool;
    OutBuffer out{pool};
    ASSERT_TRUE(encode_publish(out, p, {p.payload, nullptr}, Version::v5));
    iovec part;
    ASSERT_EQ(out.gather({&part, 1}), 1u);
    const auto* data = static_cast<const std::uint8_t*>(part.iov_base);
    EXPECT_EQ(std::vector<std::uint8_t>(data, data + part.iov_len), encoded(packet, Version::v5));
  }
}

}  // namespace
}  // namespace mqtt::test
