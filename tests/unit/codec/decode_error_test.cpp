// Each row breaks one rule: the decoder must name its clause, reason code and byte.
#include <gtest/gtest.h>

#include <mqtt/codec/fault_list.hpp>

#include "support/hex.hpp"
#include "support/packets.hpp"

namespace mqtt::test {
namespace {

constexpr auto v31 = Version::v3_1, v311 = Version::v3_1_1, v5 = Version::v5;
constexpr auto client = Sender::client, server = Sender::server;
using R = ReasonCode;

struct Broken {
  const char* test;
  Version version;
  Sender sender;
  const char* packet;
  const char* clause;
  ReasonCode reason;
  std::uint32_t offset;
};

void PrintTo(const Broken& row, std::ostream* out) { *out << row.test << ": " << row.packet; }

class DecodeRejects : public testing::TestWithParam<Broken> {};

TEST_P(DecodeRejects, WithClauseReasonAndOffset) {
  const Broken& row = GetParam();
  const auto bytes = unhex(row.packet);
  const auto packet = decode(frame_of(bytes), {row.version, row.sender});
  ASSERT_FALSE(packet.has_value());
  EXPECT_EQ(packet.error().clause, row.clause);
  EXPECT_EQ(packet.error().reason, row.reason) << packet.error().what;
  EXPECT_EQ(packet.error().offset, row.offset) << packet.error().what;
}

TEST_P(DecodeRejects, AndItIsTheFirstOfAllFaults) {
  const Broken& row = GetParam();
  const auto bytes = unhex(row.packet);
  const Reading all = decode_all(frame_of(bytes), {row.version, row.sender});
  ASSERT_FALSE(all.faults.empty());
  EXPECT_EQ(all.faults[0].clause, row.clause);
  EXPECT_EQ(all.faults[0].reason, row.reason);
  EXPECT_EQ(all.faults[0].offset, row.offset);
}

TEST(DecodeAll, ReadsAValidPacketAsDecodeDoes) {
  for (const Sample& sample : all_samples()) {
    const Reading all = decode_all(frame_of(sample.bytes), sample.context);
    EXPECT_TRUE(all.faults.empty() && !all.body_read) << sample.name;
    ASSERT_TRUE(all.packet) << sample.name;
    EXPECT_EQ(all.packet->index(), decode(frame_of(sample.bytes), sample.context)->index()) << sample.name;
  }
}

TEST(DecodeAll, ListsABoundedNumberOfFaults) {
  auto suback = unhex("90 67 00 01 00");
  suback.resize(suback.size() + 100, 0x55);
  EXPECT_EQ(decode_all(frame_of(suback), {v5, server}).faults.size(), FaultList::faults_max);
}

TEST(DecodeAll, GivesWhatStandsInFrontOfWhatCannotBeRead) {
  const auto subscribe = unhex("82 0c 00 07 00 00 01 'a' 01 00 09 'b' 00 00");
  const Reading list = decode_all(frame_of(subscribe), {v5, client});
  ASSERT_TRUE(list.packet && list.body_read);
  EXPECT_EQ(*list.body_read, 9u);
  const auto& p = std::get<SubscribeView>(*list.packet);
  EXPECT_EQ(p.packet_id, 7);
  ASSERT_EQ(p.subscriptions.count(), 1u);
  EXPECT_EQ(p.subscriptions.begin()->filter, "a");

  const auto publish = unhex("30 0a 00 01 't' 05 01 01 7f 00 00 'x'");
  const Reading message = decode_all(frame_of(publish), {v5, client});
  ASSERT_TRUE(message.packet);
  const auto& m = std::get<PublishView>(*message.packet);
  EXPECT_EQ(m.topic, "t");
  EXPECT_EQ(m.properties.number(PropertyId::payload_format_indicator), 1u);
  EXPECT_TRUE(m.payload.empty());
}

std::string name_of(const testing::TestParamInfo<Broken>& info) { return info.param.test; }

const Broken fixed_header[] = {
    {"v5_type_0", v5, client, "00 00", "v5#2.1.2/type-0", R::malformed_packet, 0},
    {"v311_type_0", v311, client, "00 00", "v311#2.2.1/type-0", R::malformed_packet, 0},
    {"v311_type_15_Auth", v311, client, "f0 00", "v311#2.2.1/type-0", R::malformed_packet, 0},
    {"v5_direction_ClientSendsConnack", v5, client, "20 03 00 00 00", "v5#2.1.2/direction", R::protocol_error,
     0},
    {"v5_direction_ClientSendsSuback", v5, client, "90 04 00 01 00 00", "v5#2.1.2/direction",
     R::protocol_error, 0},
    {"v5_direction_ServerSendsConnect", v5, server, "10 0d 00 04 'MQTT' 05 02 00 00 00 00 00",
     "v5#2.1.2/direction", R::protocol_error, 0},
    {"v5_direction_ServerSendsSubscribe", v5, server, "82 07 00 01 00 00 01 'a' 00", "v5#2.1.2/direction",
     R::protocol_error, 0},
    {"v5_direction_ServerSendsPingreq", v5, server, "c0 00", "v5#2.1.2/direction", R::protocol_error, 0},
    {"v311_direction_ClientSendsPingresp", v311, client, "d0 00", "v311#2.2.1/direction", R::protocol_error,
     0},
    {"Mqtt_2_1_3_1_ConnectFlags", v5, client, "11 0d 00 04 'MQTT' 05 02 00 00 00 00 00", "MQTT-2.1.3-1",
     R::malformed_packet, 0},
    {"Mqtt_2_2_2_1_PubackFlags", v311, client, "42 02 00 01", "MQTT-2.2.2-1", R::malformed_packet, 0},
    {"Mqtt_3_6_1_1_PubrelFlags", v5, client, "60 02 00 01", "MQTT-2.1.3-1", R::malformed_packet, 0},
    {"Mqtt_3_8_1_1_SubscribeFlags", v5, client, "80 07 00 01 00 00 01 'a' 00", "MQTT-2.1.3-1",
     R::malformed_packet, 0},
    {"Mqtt_3_10_1_1_UnsubscribeFlags", v5, client, "a0 06 00 01 00 00 01 'a'", "MQTT-2.1.3-1",
     R::malformed_packet, 0},
    {"Mqtt_3_14_1_1_DisconnectFlags", v5, client, "e1 00", "MQTT-2.1.3-1", R::malformed_packet, 0},
    {"Mqtt_3_15_1_1_AuthFlags", v5, client, "f8 00", "MQTT-2.1.3-1", R::malformed_packet, 0},
    {"v311_DupOnPubrelIsOnlyFor31", v311, client, "6a 02 00 01", "MQTT-2.2.2-1", R::malformed_packet, 0},
    {"PingreqWithBody", v5, client, "c0 01 00", "v5#2.1.4/rl-fit", R::malformed_packet, 2},
    {"v311_PubackTooLong", v311, client, "40 03 00 01 00", "v311#2.2.3/rl-fit", R::malformed_packet, 4},
    {"v311_DisconnectWithBody", v311, client, "e0 01 00", "v311#2.2.3/rl-fit", R::malformed_packet, 2},
};
INSTANTIATE_TEST_SUITE_P(FixedHeader, DecodeRejects, testing::ValuesIn(fixed_header), name_of);

const Broken strings[] = {
    {"Mqtt_1_5_4_1_Overlong", v5, client, "30 05 00 02 c0 80 00", "MQTT-1.5.4-1", R::malformed_packet, 4},
    {"Mqtt_1_5_4_1_Surrogate", v5, client, "30 07 00 04 'a' ed a0 80 00", "MQTT-1.5.4-1", R::malformed_packet,
     5},
    {"Mqtt_1_5_4_1_AboveUnicode", v5, client, "30 07 00 04 f4 90 80 80 00", "MQTT-1.5.4-1",
     R::malformed_packet, 4},
    {"Mqtt_1_5_4_1_CutSequence", v5, client, "30 05 00 02 'a' e6 00", "MQTT-1.5.4-1", R::malformed_packet, 5},
    {"Mqtt_1_5_4_2_Nul", v5, client, "30 06 00 03 'a' 00 'b' 00", "MQTT-1.5.4-2", R::malformed_packet, 5},
    {"Mqtt_1_5_3_1_v311", v311, client, "30 04 00 02 c0 80", "MQTT-1.5.3-1", R::malformed_packet, 4},
    {"Mqtt_1_5_3_2_v311_Nul", v311, client, "30 03 00 01 00", "MQTT-1.5.3-2", R::malformed_packet, 4},
    {"Mqtt_1_5_7_1_UserPropertyKey", v5, client, "30 0c 00 01 't' 08 26 00 01 ff 00 01 'v' 'p'",
     "MQTT-1.5.4-1", R::malformed_packet, 9},
    {"Mqtt_1_5_7_1_UserPropertyValue", v5, client, "30 0c 00 01 't' 08 26 00 01 'k' 00 01 ff 'p'",
     "MQTT-1.5.4-1", R::malformed_packet, 12},
};
INSTANTIATE_TEST_SUITE_P(Strings, DecodeRejects, testing::ValuesIn(strings), name_of);

const Broken properties[] = {
    {"prop_unknown", v5, client, "30 06 00 01 't' 02 7f 00", "v5#2.2.2.2/prop-unknown", R::malformed_packet,
     6},
    {"prop_unknown_Zero", v5, client, "30 06 00 01 't' 02 00 00", "v5#2.2.2.2/prop-unknown",
     R::malformed_packet, 6},
    {"prop_packet_ReceiveMaximumInPublish", v5, client, "30 07 00 01 't' 03 21 00 01",
     "v5#2.2.2.2/prop-packet", R::malformed_packet, 6},
    {"prop_packet_TopicAliasInWill", v5, client,
     "10 15 00 04 'MQTT' 05 06 00 00 00 00 00 03 23 00 01 00 01 't' 00 00", "v5#2.2.2.2/prop-packet",
     R::malformed_packet, 16},
    {"prop_length_BeyondPacket", v5, client, "30 05 00 01 't' 05 01", "v5#2.2.2.2/prop-length",
     R::malformed_packet, 5},
    {"prop_length_ValueCut", v5, client, "30 06 00 01 't' 02 02 00", "v5#2.1.4/rl-fit", R::malformed_packet,
     7},
    {"Mqtt_1_5_5_1_PropertyLengthNotMinimal", v5, client, "30 05 00 01 't' 80 00", "MQTT-1.5.5-1",
     R::malformed_packet, 5},
    {"rl_4_bytes_PropertyLengthOfFive", v5, client, "30 08 00 01 't' 80 80 80 80 01", "v5#1.5.5/rl-4-bytes",
     R::malformed_packet, 5},
    {"Mqtt_2_2_2_1_PropertyLengthMissing", v5, client, "30 03 00 01 't'", "v5#2.1.4/rl-fit",
     R::malformed_packet, 5},
    {"payload_format_2", v5, client, "30 06 00 01 't' 02 01 02", "v5#3.3.2.3.2/pfi-value", R::protocol_error,
     7},
    {"payload_format_Twice", v5, client, "30 08 00 01 't' 04 01 00 01 00", "v5#3.3.2.3.2/pfi-value",
     R::protocol_error, 8},
    {"expiry_dup", v5, client, "30 0e 00 01 't' 0a 02 00 00 00 01 02 00 00 00 01", "v5#3.3.2.3.3/expiry-dup",
     R::protocol_error, 11},
    {"content_type_Twice", v5, client, "30 0a 00 01 't' 06 03 00 00 03 00 00", "v5#3.3.2.3.9/dup",
     R::protocol_error, 9},
    {"correlation_data_Twice", v5, client, "30 0a 00 01 't' 06 09 00 00 09 00 00", "v5#3.3.2.3.6/dup",
     R::protocol_error, 9},
    {"Mqtt_3_3_2_8_TopicAliasZero", v5, client, "30 07 00 01 't' 03 23 00 00", "MQTT-3.3.2-8",
     R::topic_alias_invalid, 7},
    {"alias_dup", v5, client, "30 0a 00 01 't' 06 23 00 01 23 00 01", "v5#3.3.2.3.4/alias-dup",
     R::protocol_error, 9},
    {"Mqtt_3_3_2_14_ResponseTopicWildcard", v5, client, "30 08 00 01 't' 04 08 00 01 '#'", "MQTT-3.3.2-14",
     R::protocol_error, 7},
    {"Mqtt_3_3_2_13_ResponseTopicNotUtf8", v5, client, "30 08 00 01 't' 04 08 00 01 ff", "MQTT-1.5.4-1",
     R::malformed_packet, 9},
    {"Mqtt_3_3_2_19_ContentTypeNotUtf8", v5, client, "30 08 00 01 't' 04 03 00 01 ff", "MQTT-1.5.4-1",
     R::malformed_packet, 9},
    {"Mqtt_3_3_4_6_ClientSubscriptionIdentifier", v5, client, "30 06 00 01 't' 02 0b 01", "MQTT-3.3.4-6",
     R::protocol_error, 6},
    {"subid_zero", v5, server, "30 06 00 01 't' 02 0b 00", "v5#3.8.2.1.2/subid", R::protocol_error, 7},
    {"subid_dup_InSubscribe", v5, client, "82 0b 00 01 04 0b 01 0b 02 00 01 'a' 00", "v5#3.8.2.1.2/subid",
     R::protocol_error, 7},
    {"rm_zero", v5, client, "10 10 00 04 'MQTT' 05 02 00 00 03 21 00 00 00 00", "v5#3.1.2.11.3/rm",
     R::protocol_error, 14},
    {"mps_zero", v5, client, "10 12 00 04 'MQTT' 05 02 00 00 05 27 00 00 00 00 00 00", "v5#3.1.2.11.4/mps",
     R::protocol_error, 14},
    {"sei_dup", v5, client, "10 17 00 04 'MQTT' 05 02 00 00 0a 11 00 00 00 01 11 00 00 00 01 00 00",
     "v5#3.1.2.11.2/sei-dup", R::protocol_error, 18},
    {"rri_value", v5, client, "10 0f 00 04 'MQTT' 05 02 00 00 02 19 02 00 00", "v5#3.1.2.11.6/rri",
     R::protocol_error, 14},
    {"rpi_value", v5, client, "10 0f 00 04 'MQTT' 05 02 00 00 02 17 02 00 00", "v5#3.1.2.11.7/rpi",
     R::protocol_error, 14},
    {"auth_data_WithoutMethod", v5, client, "10 10 00 04 'MQTT' 05 02 00 00 03 16 00 00 00 00",
     "v5#3.1.2.11.10/auth-data", R::protocol_error, 12},
    {"max_qos_2", v5, server, "20 05 00 00 02 24 02", "v5#3.2.2.3.4/max-qos", R::protocol_error, 6},
    {"retain_avail_2", v5, server, "20 05 00 00 02 25 02", "v5#3.2.2.3.5/retain-avail", R::protocol_error, 6},
    {"wildcard_2", v5, server, "20 05 00 00 02 28 02", "v5#3.2.2.3.11/feature-bits", R::protocol_error, 6},
    {"reason_dup", v5, server, "20 09 00 00 06 1f 00 00 1f 00 00", "v5#3.2.2.3.9/reason-dup",
     R::protocol_error, 8},
    {"Mqtt_3_14_2_2_ServerSessionExpiry", v5, server, "e0 07 00 05 11 00 00 00 01", "MQTT-3.14.2-2",
     R::protocol_error, 4},
    {"ref_FromClient", v5, client, "e0 05 00 03 1c 00 00", "v5#3.14.2.2.5/ref-dup", R::protocol_error, 4},
};
INSTANTIATE_TEST_SUITE_P(Properties, DecodeRejects, testing::ValuesIn(properties), name_of);

const Broken connect[] = {
    {"Mqtt_3_1_2_1_ProtocolName", v5, client, "10 0d 00 04 'MQTX' 05 02 00 00 00 00 00", "MQTT-3.1.2-1",
     R::unsupported_protocol_version, 2},
    {"Mqtt_3_1_2_2_ProtocolLevel6", v5, client, "10 0d 00 04 'MQTT' 06 02 00 00 00 00 00", "MQTT-3.1.2-2",
     R::unsupported_protocol_version, 8},
    {"Mqtt_3_1_2_2_Mqisdp4", v5, client, "10 0e 00 06 'MQIsdp' 04 02 00 00 00 00", "MQTT-3.1.2-2",
     R::unsupported_protocol_version, 10},
    {"Mqtt_3_1_2_3_ReservedFlag_v5", v5, client, "10 0d 00 04 'MQTT' 05 03 00 00 00 00 00", "MQTT-3.1.2-3",
     R::malformed_packet, 9},
    {"Mqtt_3_1_2_3_ReservedFlag_v311", v5, client, "10 0c 00 04 'MQTT' 04 03 00 00 00 00", "MQTT-3.1.2-3",
     R::malformed_packet, 9},
    {"Mqtt_3_1_2_11_WillQosWithoutWill_v5", v5, client, "10 0d 00 04 'MQTT' 05 0a 00 00 00 00 00",
     "MQTT-3.1.2-11", R::malformed_packet, 9},
    {"Mqtt_3_1_2_13_WillQosWithoutWill_v311", v5, client, "10 0c 00 04 'MQTT' 04 0a 00 00 00 00",
     "MQTT-3.1.2-13", R::malformed_packet, 9},
    {"Mqtt_3_1_2_12_WillQos3_v5", v5, client, "10 13 00 04 'MQTT' 05 1e 00 00 00 00 00 00 00 01 't' 00 00",
     "MQTT-3.1.2-12", R::malformed_packet, 9},
    {"Mqtt_3_1_2_14_WillQos3_v311", v5, client, "10 11 00 04 'MQTT' 04 1e 00 00 00 00 00 01 't' 00 00",
     "MQTT-3.1.2-14", R::malformed_packet, 9},
    {"Mqtt_3_1_2_13_WillRetainWithoutWill_v5", v5, client, "10 0d 00 04 'MQTT' 05 22 00 00 00 00 00",
     "MQTT-3.1.2-13", R::malformed_packet, 9},
    {"Mqtt_3_1_2_15_WillRetainWithoutWill_v311", v5, client, "10 0c 00 04 'MQTT' 04 22 00 00 00 00",
     "MQTT-3.1.2-15", R::malformed_packet, 9},
    {"Mqtt_3_1_2_9_WillFieldsMissing", v5, client, "10 0d 00 04 'MQTT' 05 06 00 00 00 00 00",
     "v5#2.1.4/rl-fit", R::malformed_packet, 15},
    {"Mqtt_3_1_2_16_UserNameWithoutFlag", v5, client, "10 10 00 04 'MQTT' 05 02 00 00 00 00 00 00 01 'u'",
     "v5#2.1.4/rl-fit", R::malformed_packet, 15},
    {"Mqtt_3_1_2_17_UserNameMissing", v5, client, "10 0d 00 04 'MQTT' 05 82 00 00 00 00 00",
     "v5#2.1.4/rl-fit", R::malformed_packet, 15},
    {"Mqtt_3_1_2_19_PasswordMissing", v5, client, "10 0d 00 04 'MQTT' 05 42 00 00 00 00 00",
     "v5#2.1.4/rl-fit", R::malformed_packet, 15},
    {"Mqtt_3_1_2_22_PasswordWithoutUser_v311", v5, client, "10 0f 00 04 'MQTT' 04 42 00 00 00 00 00 01 'p'",
     "MQTT-3.1.2-22", R::malformed_packet, 9},
    {"Mqtt_3_1_3_4_ClientIdNotUtf8", v5, client, "10 0e 00 04 'MQTT' 05 02 00 00 00 00 01 ff", "MQTT-1.5.4-1",
     R::malformed_packet, 15},
    {"Mqtt_3_1_3_11_WillTopicNotUtf8", v5, client,
     "10 13 00 04 'MQTT' 05 06 00 00 00 00 00 00 00 01 ff 00 00", "MQTT-1.5.4-1", R::malformed_packet, 18},
    {"Mqtt_3_1_3_12_UserNameNotUtf8", v5, client, "10 10 00 04 'MQTT' 05 82 00 00 00 00 00 00 01 ff",
     "MQTT-1.5.4-1", R::malformed_packet, 17},
    {"Mqtt_4_7_0_1_WillTopicWildcard", v5, client,
     "10 13 00 04 'MQTT' 05 06 00 00 00 00 00 00 00 01 '#' 00 00", "MQTT-4.7.0-1", R::topic_name_invalid, 18},
    {"Mqtt_4_7_1_1_WillTopicWildcard_v311", v5, client,
     "10 11 00 04 'MQTT' 04 06 00 00 00 00 00 01 '+' 00 00", "MQTT-4.7.1-1", R::topic_name_invalid, 16},
    {"Empty", v5, client, "10 00", "v5#2.1.4/rl-fit", R::malformed_packet, 2},
};
INSTANTIATE_TEST_SUITE_P(Connect, DecodeRejects, testing::ValuesIn(connect), name_of);

const Broken connack[] = {
    {"Mqtt_3_2_2_1_Flags", v5, server, "20 03 02 00 00", "MQTT-3.2.2-1", R::malformed_packet, 2},
    {"ack_flags_v311", v311, server, "20 02 80 00", "v311#3.2.2.1/ack-flags", R::malformed_packet, 2},
    {"Mqtt_3_2_2_6_SessionPresentOnRefusal", v5, server, "20 03 01 87 00", "MQTT-3.2.2-6", R::protocol_error,
     2},
    {"Mqtt_3_2_2_4_SessionPresentOnRefusal_v311", v311, server, "20 02 01 05", "MQTT-3.2.2-4",
     R::protocol_error, 2},
    {"Mqtt_3_2_2_8_Reason", v5, server, "20 03 00 8e 00", "MQTT-3.2.2-8", R::protocol_error, 3},
    {"Mqtt_3_2_2_6_ReturnCode_v311", v311, server, "20 02 00 06", "MQTT-3.2.2-6", R::protocol_error, 3},
};
INSTANTIATE_TEST_SUITE_P(Connack, DecodeRejects, testing::ValuesIn(connack), name_of);

const Broken publish[] = {
    {"Mqtt_3_3_1_4_BothQosBits", v5, client, "36 06 00 01 't' 00 01 00", "MQTT-3.3.1-4", R::malformed_packet,
     0},
    {"Mqtt_3_3_1_4_BothQosBits_v311", v311, server, "36 05 00 01 't' 00 01", "MQTT-3.3.1-4",
     R::malformed_packet, 0},
    {"Mqtt_3_3_1_2_DupOnQos0", v5, client, "38 04 00 01 't' 00", "MQTT-3.3.1-2", R::protocol_error, 0},
    {"Mqtt_3_3_2_2_Plus", v5, client, "30 08 00 05 'a/+/b' 00", "MQTT-3.3.2-2", R::topic_name_invalid, 6},
    {"Mqtt_3_3_2_2_Hash", v311, client, "30 03 00 01 '#'", "MQTT-3.3.2-2", R::topic_name_invalid, 4},
    {"empty_topic", v5, client, "30 03 00 00 00", "v5#3.3.2.1/empty-topic", R::protocol_error, 2},
    {"Mqtt_4_7_3_1_EmptyTopic_v311", v311, client, "30 02 00 00", "MQTT-4.7.3-1", R::protocol_error, 2},
    {"Mqtt_2_2_1_3_PacketIdZero", v5, client, "32 06 00 01 't' 00 00 00", "MQTT-2.2.1-3", R::protocol_error,
     5},
    {"Mqtt_2_2_1_4_PacketIdZeroFromServer", v5, server, "32 06 00 01 't' 00 00 00", "MQTT-2.2.1-4",
     R::protocol_error, 5},
    {"Mqtt_2_3_1_1_PacketIdZero_v311", v311, client, "34 05 00 01 't' 00 00", "MQTT-2.3.1-1",
     R::protocol_error, 5},
    {"TopicLongerThanPacket", v5, client, "30 04 00 09 't' 00", "v5#2.1.4/rl-fit", R::malformed_packet, 4},
    {"PacketIdMissing", v311, client, "32 03 00 01 't'", "v311#2.2.3/rl-fit", R::malformed_packet, 5},
};
INSTANTIATE_TEST_SUITE_P(Publish, DecodeRejects, testing::ValuesIn(publish), name_of);

const Broken answers[] = {
    {"Mqtt_2_2_1_5_PubackIdZero", v5, client, "40 02 00 00", "MQTT-2.2.1-5", R::protocol_error, 2},
    {"Mqtt_3_4_2_1_PubackReason", v5, client, "40 03 00 01 01", "MQTT-3.4.2-1", R::protocol_error, 4},
    {"Mqtt_3_4_2_1_NoMatchingSubscribersIsTheServers", v5, client, "40 03 00 01 10", "MQTT-3.4.2-1",
     R::protocol_error, 4},
    {"Mqtt_3_5_2_1_PubrecReason", v5, server, "50 03 00 01 92", "MQTT-3.5.2-1", R::protocol_error, 4},
    {"Mqtt_3_6_2_1_PubrelReason", v5, client, "62 03 00 01 80", "MQTT-3.6.2-1", R::protocol_error, 4},
    {"Mqtt_3_7_2_1_PubcompReason", v5, server, "70 03 00 01 80", "MQTT-3.7.2-1", R::protocol_error, 4},
    {"PubackCut", v5, server, "40 01 00", "v5#2.1.4/rl-fit", R::malformed_packet, 2},
    {"Mqtt_3_9_3_2_SubackReason", v5, server, "90 04 00 01 00 03", "MQTT-3.9.3-2", R::protocol_error, 5},
    {"Mqtt_3_9_3_2_SubackReason_v311", v311, server, "90 03 00 01 81", "MQTT-3.9.3-2", R::protocol_error, 4},
    {"Cve_2024_10525_SubackWithoutReasons", v5, server, "90 03 00 01 00", "MQTT-3.8.4-6", R::protocol_error,
     5},
    {"Cve_2024_10525_SubackWithoutReasons_v311", v311, server, "90 02 00 01", "MQTT-3.8.4-5",
     R::protocol_error, 4},
    {"Mqtt_3_11_3_2_UnsubackReason", v5, server, "b0 04 00 01 00 01", "MQTT-3.11.3-2", R::protocol_error, 5},
    {"Mqtt_3_11_3_2_UnsubackWithoutReasons", v5, server, "b0 03 00 01 00", "MQTT-3.11.3-2", R::protocol_error,
     5},
};
INSTANTIATE_TEST_SUITE_P(Answers, DecodeRejects, testing::ValuesIn(answers), name_of);

const Broken requests[] = {
    {"Mqtt_2_2_1_3_SubscribeIdZero", v5, client, "82 07 00 00 00 00 01 'a' 00", "MQTT-2.2.1-3",
     R::protocol_error, 2},
    {"Mqtt_3_8_3_2_NoFilter", v5, client, "82 03 00 01 00", "MQTT-3.8.3-2", R::protocol_error, 5},
    {"Mqtt_3_8_3_3_NoFilter_v311", v311, client, "82 02 00 01", "MQTT-3.8.3-3", R::protocol_error, 4},
    {"Mqtt_3_8_3_1_FilterNotUtf8", v5, client, "82 07 00 01 00 00 01 ff 00", "MQTT-1.5.4-1",
     R::malformed_packet, 7},
    {"Mqtt_3_8_3_5_ReservedBits", v5, client, "82 07 00 01 00 00 01 'a' 40", "MQTT-3.8.3-5",
     R::malformed_packet, 8},
    {"Mqtt_3_8_3_4_ReservedBits_v311", v311, client, "82 06 00 01 00 01 'a' 04", "MQTT-3.8.3-4",
     R::malformed_packet, 7},
    {"qos_3", v5, client, "82 07 00 01 00 00 01 'a' 03", "v5#3.8.3.1/qos-3", R::protocol_error, 8},
    {"Mqtt_3_8_3_4_Qos3_v311", v311, client, "82 06 00 01 00 01 'a' 03", "MQTT-3.8.3-4", R::malformed_packet,
     7},
    {"rh_3", v5, client, "82 07 00 01 00 00 01 'a' 30", "v5#3.8.3.1/rh-3", R::protocol_error, 8},
    {"Mqtt_3_8_3_4_NoLocalShared", v5, client, "82 10 00 01 00 00 0a '$share/g/a' 04", "MQTT-3.8.3-4",
     R::protocol_error, 17},
    {"Mqtt_4_7_1_1_HashNotLast", v5, client, "82 09 00 01 00 00 03 '#/a' 00", "MQTT-4.7.1-1",
     R::topic_filter_invalid, 7},
    {"Mqtt_4_7_1_2_HashNotLast_v311", v311, client, "82 07 00 01 00 02 'a#' 00", "MQTT-4.7.1-2",
     R::topic_filter_invalid, 7},
    {"Mqtt_4_7_1_2_PlusNotAlone", v5, client, "82 09 00 01 00 00 03 'a+b' 00", "MQTT-4.7.1-2",
     R::topic_filter_invalid, 8},
    {"Mqtt_4_7_1_3_PlusNotAlone_v311", v311, client, "82 07 00 01 00 02 'a+' 00", "MQTT-4.7.1-3",
     R::topic_filter_invalid, 7},
    {"Mqtt_4_7_3_1_EmptyFilter", v5, client, "82 06 00 01 00 00 00 00", "MQTT-4.7.3-1",
     R::topic_filter_invalid, 7},
    {"Mqtt_4_8_2_1_ShareNameEmpty", v5, client, "82 0f 00 01 00 00 09 '$share//a' 00", "MQTT-4.8.2-1",
     R::topic_filter_invalid, 14},
    {"Mqtt_4_8_2_2_ShareNameWildcard", v5, client, "82 10 00 01 00 00 0a '$share/+/a' 00", "MQTT-4.8.2-2",
     R::topic_filter_invalid, 14},
    {"OptionsMissing", v5, client, "82 06 00 01 00 00 01 'a'", "v5#2.1.4/rl-fit", R::malformed_packet, 8},
    {"Mqtt_3_10_3_2_NoFilter", v5, client, "a2 03 00 01 00", "MQTT-3.10.3-2", R::protocol_error, 5},
    {"Mqtt_3_10_3_1_FilterNotUtf8", v5, client, "a2 06 00 01 00 00 01 ff", "MQTT-1.5.4-1",
     R::malformed_packet, 7},
};
INSTANTIATE_TEST_SUITE_P(Requests, DecodeRejects, testing::ValuesIn(requests), name_of);

const Broken endings[] = {
    {"Mqtt_3_14_2_1_ReasonOfServerFromClient", v5, client, "e0 01 8b", "MQTT-3.14.2-1", R::protocol_error, 2},
    {"Mqtt_3_14_2_1_ReasonOfClientFromServer", v5, server, "e0 01 04", "MQTT-3.14.2-1", R::protocol_error, 2},
    {"server_disconnect_v311", v311, server, "e0 00", "v311#3.14/server-disconnect", R::protocol_error, 0},
    {"Mqtt_3_15_2_1_AuthReason", v5, client, "f0 01 80", "MQTT-3.15.2-1", R::protocol_error, 2},
    {"Mqtt_3_15_2_1_ReauthenticateFromServer", v5, server, "f0 01 19", "MQTT-3.15.2-1", R::protocol_error, 2},
    {"auth_method_Missing", v5, server, "f0 02 18 00", "v5#3.15.2.2.2/method", R::protocol_error, 3},
    {"auth_PropertiesMissing", v5, server, "f0 01 18", "v5#2.1.4/rl-fit", R::malformed_packet, 3},
};
INSTANTIATE_TEST_SUITE_P(Endings, DecodeRejects, testing::ValuesIn(endings), name_of);

}  // namespace
}  // namespace mqtt::test
