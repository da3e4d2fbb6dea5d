#include <mqtt/codec/decode.hpp>

#include <gtest/gtest.h>

#include <deque>

#include "support/hex.hpp"
#include "support/packets.hpp"

namespace mqtt::test {
namespace {

/// Decodes one packet; its bytes live on in `kept`, since the result is views of them.
template <class T>
T decoded(std::vector<std::uint8_t> bytes, DecodeContext context) {
  static std::deque<std::vector<std::uint8_t>> kept;
  const auto packet = decode(frame_of(kept.emplace_back(std::move(bytes))), context);
  EXPECT_TRUE(packet.has_value()) << packet.error().what << " at " << packet.error().offset;
  return packet && std::holds_alternative<T>(*packet) ? std::get<T>(*packet) : T{};
}

constexpr DecodeContext client_v5{Version::v5, Sender::client}, server_v5{Version::v5, Sender::server};
constexpr DecodeContext client_v311{Version::v3_1_1, Sender::client},
    server_v311{Version::v3_1_1, Sender::server};

TEST(DecodePublish, ReadsEveryFieldInPlace) {
  const auto bytes = unhex("3d 13 00 03 'a/b' 00 07 07 02 00 00 00 09 01 01 'pay'");
  const auto packet = decode(frame_of(bytes), client_v5);
  ASSERT_TRUE(packet);
  const auto& p = std::get<PublishView>(*packet);
  EXPECT_TRUE(p.dup);
  EXPECT_TRUE(p.retain);
  EXPECT_EQ(p.qos, QoS::exactly_once);
  EXPECT_EQ(p.topic, "a/b");
  EXPECT_EQ(p.packet_id, 7);
  EXPECT_EQ(p.properties.number(PropertyId::message_expiry_interval), 9u);
  EXPECT_EQ(p.properties.number(PropertyId::payload_format_indicator), 1u);
  EXPECT_EQ(as_text(p.payload), "pay");
  EXPECT_EQ(static_cast<const void*>(p.topic.data()), static_cast<const void*>(&bytes[4]))
      << "a view, not a copy";
}

TEST(DecodePublish, TopicMayBeEmptyWithAnAlias) {
  const auto p = decoded<PublishView>(unhex("30 06 00 00 03 23 00 05"), client_v5);
  EXPECT_EQ(p.topic, "");
  EXPECT_EQ(p.properties.number(PropertyId::topic_alias), 5u);
}

TEST(DecodePublish, LegalOddTopicsPass) {
  for (const char* packet : {"30 06 00 04 'a//b'", "30 03 00 01 '/'", "30 04 00 02 'a/'", "30 03 00 01 ' '",
                             "30 05 00 03 ef bf bf", "30 05 00 03 ef bb bf"})
    EXPECT_NE(decoded<PublishView>(unhex(packet), client_v311).topic, "") << packet;
}

TEST(DecodePublish, ServerMaySendSeveralSubscriptionIdentifiers) {
  const auto q = decoded<PublishView>(unhex("30 09 00 01 't' 05 0b 01 0b 80 01"), server_v5);
  std::vector<std::uint32_t> ids;
  for (const PropertyView& property : q.properties) ids.push_back(property.number);
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{1, 128}));
}

TEST(DecodeConnect, ReadsEveryField) {
  const auto bytes = unhex(
      "10 36 00 04 'MQTT' 05 ee 00 3c 05 11 00 00 0e 10 00 02 'id' 05 18 00 00 00 05 00 04 'gone' 00 02 01 "
      "00 00 04 'user' 00 03 'p' 00 'w'");
  const auto p = decoded<ConnectView>(bytes, client_v5);
  EXPECT_EQ(p.version, Version::v5);
  EXPECT_TRUE(p.clean_start);
  EXPECT_EQ(p.keep_alive, 60);
  EXPECT_EQ(p.client_id, "id");
  EXPECT_EQ(p.properties.number(PropertyId::session_expiry_interval), 3600u);
  ASSERT_TRUE(p.will);
  EXPECT_EQ(p.will->topic, "gone");
  EXPECT_EQ(p.will->payload.size(), 2u);
  EXPECT_EQ(p.will->qos, QoS::at_least_once);
  EXPECT_TRUE(p.will->retain);
  EXPECT_EQ(p.will->properties.number(PropertyId::will_delay_interval), 5u);
  EXPECT_EQ(p.user_name, "user");
  ASSERT_TRUE(p.password);
  EXPECT_EQ(as_text(*p.password), std::string_view("p\0w", 3));
}

TEST(DecodeConnect, KnowsTheThreeVersions) {
  EXPECT_EQ(decoded<ConnectView>(unhex("10 0e 00 06 'MQIsdp' 03 02 00 00 00 00"), client_v5).version,
            Version::v3_1);
  EXPECT_EQ(decoded<ConnectView>(unhex("10 0c 00 04 'MQTT' 04 02 00 00 00 00"), client_v5).version,
            Version::v3_1_1);
  EXPECT_EQ(decoded<ConnectView>(unhex("10 0d 00 04 'MQTT' 05 02 00 00 00 00 00"), client_v5).version,
            Version::v5);
}

TEST(DecodeConnect, PasswordMayStandAloneInV5) {
  EXPECT_TRUE(
      decoded<ConnectView>(unhex("10 10 00 04 'MQTT' 05 42 00 00 00 00 00 00 01 'p'"), client_v5).password);
}

TEST(DecodeConnack, ReturnCodesOfOldVersionsSpeakTheNewVocabulary) {
  const auto p = decoded<ConnackView>(unhex("20 02 00 04"), server_v311);
  EXPECT_EQ(p.return_code, ConnectReturnCode::bad_user_name_or_password);
  EXPECT_EQ(p.reason, ReasonCode::bad_user_name_or_password);
  EXPECT_TRUE(decoded<ConnackView>(unhex("20 02 01 00"), server_v311).session_present);
}

TEST(DecodeConnack, AnOldServersRefusalOfVersion5IsUnderstood) {
  EXPECT_EQ(decoded<ConnackView>(unhex("20 02 00 01"), server_v5).reason,
            ReasonCode::unsupported_protocol_version);
  EXPECT_FALSE(decode(frame_of(unhex("20 02 00 00")), server_v5));
}

TEST(DecodeAck, ShortFormsMeanSuccess) {
  EXPECT_EQ(decoded<PubackView>(unhex("40 02 00 09"), client_v5).reason, ReasonCode::success);
  EXPECT_EQ(decoded<PubrecView>(unhex("50 03 00 09 80"), client_v5).reason, ReasonCode::unspecified_error);
  EXPECT_EQ(decoded<PubrelView>(unhex("62 04 00 09 92 00"), client_v5).reason,
            ReasonCode::packet_identifier_not_found);
  EXPECT_EQ(decoded<PubcompView>(unhex("70 02 12 34"), server_v5).packet_id, 0x1234);
}

TEST(DecodeAck, DupOnRequestsIsLegalIn31) {
  EXPECT_EQ(decoded<PubrelView>(unhex("6a 02 00 01"), {Version::v3_1, Sender::client}).packet_id, 1);
  EXPECT_EQ(
      decoded<SubscribeView>(unhex("8a 06 00 01 00 01 'a' 01"), {Version::v3_1, Sender::client}).packet_id,
      1);
}

TEST(DecodeSubscribe, IteratesFiltersAndOptions) {
  const auto bytes = unhex("82 13 00 0a 02 0b 07 00 03 'a/#' 2d 00 05 '$SYS/' 01");
  const auto p = decoded<SubscribeView>(bytes, client_v5);
  EXPECT_EQ(p.packet_id, 10);
  EXPECT_EQ(p.properties.number(PropertyId::subscription_identifier), 7u);
  ASSERT_EQ(p.subscriptions.count(), 2u);
  auto at = p.subscriptions.begin();
  EXPECT_EQ(at->filter, "a/#");
  EXPECT_EQ(at->options, (SubscriptionOptions{QoS::at_least_once, true, true, RetainHandling::do_not_send}));
  ++at;
  EXPECT_EQ(at->filter, "$SYS/");
  EXPECT_EQ(at->options, SubscriptionOptions{QoS::at_least_once});
}

TEST(DecodeDisconnect, ShortFormsMeanNormal) {
  EXPECT_EQ(decoded<DisconnectView>(unhex("e0 00"), client_v5).reason, ReasonCode::normal_disconnection);
  EXPECT_EQ(decoded<DisconnectView>(unhex("e0 01 8e"), server_v5).reason, ReasonCode::session_taken_over);
  const auto moved = decoded<DisconnectView>(unhex("e0 08 9d 06 1c 00 03 'b:1'"), server_v5);
  EXPECT_EQ(moved.properties.text(PropertyId::server_reference), "b:1");
}

// Reading past the end is what the address sanitizer watches for: each input has its own exact block.
void decode_exact(Bytes bytes, DecodeContext context) {
  const std::vector<std::uint8_t> block(bytes.begin(), bytes.end());
  Framer framer;
  Bytes input = block;
  const auto frame = framer.next(input);
  if (!frame || !*frame) return;
  const auto packet = decode(**frame, context);
  if (!packet) {
    EXPECT_LE(packet.error().offset, block.size());
  }
}

TEST(Decode, EveryPacketCutAtEveryByteIsRejected) {
  for (const Sample& sample : all_samples()) {
    const Frame whole = frame_of(sample.bytes);
    for (std::size_t n = 0; n < whole.body().size(); ++n) {
      // The header tells the truth about the shorter body, so that the decoder and not the framer sees the
      // cut.
      std::vector<std::uint8_t> cut{sample.bytes[0]};
      auto length = static_cast<std::uint32_t>(n);
      for (; length >= 0x80; length >>= 7) cut.push_back(static_cast<std::uint8_t>(length | 0x80));
      cut.push_back(static_cast<std::uint8_t>(length));
      cut.insert(cut.end(), whole.body().begin(), whole.body().begin() + static_cast<std::ptrdiff_t>(n));
      cut.shrink_to_fit();
      const auto packet = decode(frame_of(cut), sample.context);
      if (!packet) continue;
      // What still decodes is a packet of its own: it must survive encoding unchanged.
      EXPECT_EQ(encoded(*packet, sample.context.version).empty(), false) << sample.name << " cut to " << n;
    }
  }
}

TEST(Decode, EveryPacketWithEveryByteChangedIsDecodedOrRejected) {
  for (const Sample& sample : all_samples()) {
    auto bytes = sample.bytes;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      const std::uint8_t original = bytes[at];
      for (unsigned change = 1; change < 256; change += sample.bytes.size() > 200 ? 17u : 1u) {
        bytes[at] = static_cast<std::uint8_t>(original ^ change);
        decode_exact(bytes, sample.context);
      }
      bytes[at] = original;
    }
  }
}

TEST(Decode, RandomPacketsSurviveEncodeDecodeEncode) {
  RandomPackets packets{42};
  for (int round = 0; round < 300; ++round)
    for (const Version version : all_versions)
      for (const Sender sender : {Sender::client, Sender::server})
        for (unsigned type = 1; type <= 15; ++type) {
          if (!travels(static_cast<PacketType>(type), version, sender)) continue;
          const auto first = encoded(packets.next(static_cast<PacketType>(type), version, sender), version);
          const auto packet = decode(frame_of(first), {version, sender});
          ASSERT_TRUE(packet.has_value())
              << packet.error().what << " at " << packet.error().offset << " " << packet.error().clause
              << " in " << to_string(static_cast<PacketType>(type));
          ASSERT_EQ(encoded(*packet, version), first) << to_string(static_cast<PacketType>(type));
        }
}

}  // namespace
}  // namespace mqtt::test
