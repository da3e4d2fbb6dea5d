// Every field with its bytes: tables of packets and what they consist of, and what holds for all packets.
#include <mqtt/inspect/dissect.hpp>

#include <gtest/gtest.h>

#include <algorithm>

#include <fmt/format.h>

#include "support/dissection.hpp"
#include "support/hex.hpp"
#include "support/packets.hpp"

namespace mqtt::test {
namespace {

constexpr auto v31 = Version::v3_1, v311 = Version::v3_1_1, v5 = Version::v5;
constexpr auto client = Sender::client, server = Sender::server;

/// "OFFSET+SIZE NAME: VALUE" for each field of whole bytes, its parts behind it in braces without those that
/// are 0. The fixed header is left out unless asked for.
enum class Show { all, body };

std::string lines(const Dissection& d, Show show) {
  std::string out;
  for (std::size_t i = show == Show::all ? 0 : 1; i < d.fields.size(); ++i) {
    const Field& field = d.fields[i];
    if (show == Show::body && (field.offset == 0 || field.name == "Remaining Length")) continue;
    if (field.bits != 0 && field.number == 0) continue;
    out += field.bits == 0 ? fmt::format("\n{}+{} {}: ", field.offset, field.size, field.name)
                           : fmt::format(" {{{}: ", field.name);
    append_value(out, field);
    if (field.bits != 0) out += "}";
  }
  for (const DecodeError& fault : d.faults) out += fmt::format("\n! {} @{}", fault.clause, fault.offset);
  return out;
}

struct Row {
  const char* test;
  DecodeContext context;
  const char* packet;
  Show show;
  const char* fields;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.test; }
std::string name_of(const testing::TestParamInfo<Row>& info) { return info.param.test; }

class Dissect : public testing::TestWithParam<Row> {};

TEST_P(Dissect, NamesEachField) {
  const Row& row = GetParam();
  const auto bytes = unhex(row.packet);
  Dissection d;
  dissect(d, bytes, row.context);
  EXPECT_EQ(lines(d, row.show), row.fields);
  EXPECT_EQ(tiling_fault(d, bytes), "");
}

const Row whole_packets[] = {
    {"Connect_v5",
     {v5, client},
     "10 2b 00 04 'MQTT' 05 f6 00 3c 05 11 00 00 0e 10 00 01 'c' 05 18 00 00 00 09 00 01 'w' 00 02 'bf' "
     "00 01 'u' 00 06 'secret'",
     Show::all,
     R"(
0+1 Control Packet type and flags: 16 {MQTT Control Packet type: CONNECT}
1+1 Remaining Length: 43
2+6 Protocol Name: MQTT
8+1 Protocol Version: 5
9+1 Connect Flags: 246 {User Name Flag: 1} {Password Flag: 1} {Will Retain: 1} {Will QoS: 2} {Will Flag: 1} {Clean Start: 1}
10+2 Keep Alive: 60
12+1 Property Length: 5
13+5 Session Expiry Interval: 3600
18+3 Client Identifier: c
21+1 Will Property Length: 5
22+5 Will Delay Interval: 9
27+3 Will Topic: w
30+4 Will Payload: bf
34+3 User Name: u
37+8 Password: ***)"},
    {"Connect_v311",
     {v5, client},
     "10 13 00 04 'MQTT' 04 06 00 00 00 01 'c' 00 01 'w' 00 01 ff",
     Show::body,
     R"(
2+6 Protocol Name: MQTT
8+1 Protocol Level: 4
9+1 Connect Flags: 6 {Will Flag: 1} {Clean Session: 1}
10+2 Keep Alive: 0
12+3 Client Identifier: c
15+3 Will Topic: w
18+3 Will Message: base64:/w==)"},
    {"Connect_v31", {v5, client}, "10 0f 00 06 'MQIsdp' 03 02 00 0a 00 01 'c'", Show::body, R"(
2+8 Protocol Name: MQIsdp
10+1 Protocol Version: 3
11+1 Connect Flags: 2 {Clean Session: 1}
12+2 Keep Alive: 10
14+3 Client Identifier: c)"},
    {"Connack_v5", {v5, server}, "20 0d 00 00 0a 24 01 21 00 14 12 00 02 'id'", Show::body, R"(
2+1 Connect Acknowledge Flags: 0
3+1 Connect Reason Code: Success (0x00)
4+1 Property Length: 10
5+2 Maximum QoS: 1
7+3 Receive Maximum: 20
10+5 Assigned Client Identifier: id)"},
    {"Connack_v311", {v311, server}, "20 02 01 00", Show::body, R"(
2+1 Connect Acknowledge Flags: 1 {Session Present: 1}
3+1 Connect Return code: Connection Accepted (0x00))"},
    {"Connack_v5RefusedInTheFormOf311", {v5, server}, "20 02 00 01", Show::body, R"(
2+1 Connect Acknowledge Flags: 0
3+1 Connect Return code: unacceptable protocol version (0x01))"},
    {"Publish_v5",
     {v5, client},
     "3b 17 00 03 'a/b' 00 07 0e 02 00 00 00 3c 26 00 01 'k' 00 03 'vwx' 'p'",
     Show::all,
     R"(
0+1 Control Packet type and flags: 59 {MQTT Control Packet type: PUBLISH} {DUP flag: 1} {QoS level: 1} {RETAIN: 1}
1+1 Remaining Length: 23
2+5 Topic Name: a/b
7+2 Packet Identifier: 7
9+1 Property Length: 14
10+5 Message Expiry Interval: 60
15+9 User Property: k=vwx
24+1 Payload: p)"},
    {"Publish_v5FromServer", {v5, server}, "30 0d 00 01 't' 07 0b 80 01 0b 02 01 01 ff 00", Show::body, R"(
2+3 Topic Name: t
5+1 Property Length: 7
6+3 Subscription Identifier: 128
9+2 Subscription Identifier: 2
11+2 Payload Format Indicator: 1
13+2 Payload: base64:/wA=)"},
    {"Publish_v311", {v311, client}, "34 05 00 01 't' 01 00", Show::body, R"(
2+3 Topic Name: t
5+2 Packet Identifier: 256)"},
    {"Puback_v5", {v5, server}, "40 09 00 07 87 05 1f 00 02 'no'", Show::body, R"(
2+2 Packet Identifier: 7
4+1 PUBACK Reason Code: Not authorized (0x87)
5+1 Property Length: 5
6+5 Reason String: no)"},
    {"Puback_v5Short", {v5, server}, "40 02 00 07", Show::body, R"(
2+2 Packet Identifier: 7)"},
    {"Pubrec_v5", {v5, server}, "50 03 00 07 10", Show::body, R"(
2+2 Packet Identifier: 7
4+1 PUBREC Reason Code: No matching subscribers (0x10))"},
    {"Pubrel_v5", {v5, client}, "62 04 00 07 92 00", Show::body, R"(
2+2 Packet Identifier: 7
4+1 PUBREL Reason Code: Packet Identifier not found (0x92)
5+1 Property Length: 0)"},
    {"Pubrel_v31", {v31, client}, "6a 02 00 07", Show::all, R"(
0+1 Control Packet type and flags: 106 {MQTT Control Packet type: PUBREL} {DUP flag: 1} {QoS level: 1}
1+1 Remaining Length: 2
2+2 Packet Identifier: 7)"},
    {"Pubcomp_v311", {v311, client}, "70 02 00 07", Show::body, R"(
2+2 Packet Identifier: 7)"},
    {"Subscribe_v5", {v5, client}, "82 0f 00 01 02 0b 05 00 03 'a/#' 2d 00 01 '+' 02", Show::body, R"(
2+2 Packet Identifier: 1
4+1 Property Length: 2
5+2 Subscription Identifier: 5
7+5 Topic Filter: a/#
12+1 Subscription Options: 45 {Retain Handling: 2} {Retain As Published: 1} {No Local: 1} {Maximum QoS: 1}
13+3 Topic Filter: +
16+1 Subscription Options: 2 {Maximum QoS: 2})"},
    {"Subscribe_v311", {v311, client}, "82 06 00 01 00 01 'a' 01", Show::body, R"(
2+2 Packet Identifier: 1
4+3 Topic Filter: a
7+1 Requested QoS: 1 {QoS: 1})"},
    {"Suback_v5", {v5, server}, "90 05 00 01 00 01 87", Show::body, R"(
2+2 Packet Identifier: 1
4+1 Property Length: 0
5+1 Reason Code: Granted QoS 1 (0x01)
6+1 Reason Code: Not authorized (0x87))"},
    {"Suback_v311", {v311, server}, "90 04 00 01 00 80", Show::body, R"(
2+2 Packet Identifier: 1
4+1 Return Code: Success - Maximum QoS 0 (0x00)
5+1 Return Code: Failure (0x80))"},
    {"Unsubscribe_v5", {v5, client}, "a2 09 00 01 00 00 01 'a' 00 01 'b'", Show::body, R"(
2+2 Packet Identifier: 1
4+1 Property Length: 0
5+3 Topic Filter: a
8+3 Topic Filter: b)"},
    {"Unsubscribe_v311", {v311, client}, "a2 05 00 01 00 01 'a'", Show::body, R"(
2+2 Packet Identifier: 1
4+3 Topic Filter: a)"},
    {"Unsuback_v5", {v5, server}, "b0 04 00 01 00 11", Show::body, R"(
2+2 Packet Identifier: 1
4+1 Property Length: 0
5+1 Reason Code: No subscription existed (0x11))"},
    {"Unsuback_v311", {v311, server}, "b0 02 00 01", Show::body, R"(
2+2 Packet Identifier: 1)"},
    {"Pingreq", {v5, client}, "c0 00", Show::all, R"(
0+1 Control Packet type and flags: 192 {MQTT Control Packet type: PINGREQ}
1+1 Remaining Length: 0)"},
    {"Pingresp", {v311, server}, "d0 00", Show::all, R"(
0+1 Control Packet type and flags: 208 {MQTT Control Packet type: PINGRESP}
1+1 Remaining Length: 0)"},
    {"Disconnect_v5", {v5, client}, "e0 07 04 05 11 00 00 00 00", Show::body, R"(
2+1 Disconnect Reason Code: Disconnect with Will Message (0x04)
3+1 Property Length: 5
4+5 Session Expiry Interval: 0)"},
    {"Disconnect_v311", {v311, client}, "e0 00", Show::body, R"()"},
    {"Auth_v5", {v5, server}, "f0 0a 18 08 15 00 01 'M' 16 00 01 'd'", Show::body, R"(
2+1 Authenticate Reason Code: Continue authentication (0x18)
3+1 Property Length: 8
4+4 Authentication Method: M
8+4 Authentication Data: ***)"},
};
INSTANTIATE_TEST_SUITE_P(Whole, Dissect, testing::ValuesIn(whole_packets), name_of);

// A wrong value leaves the places of the fields behind it known; a wrong length does not.
const Row broken_packets[] = {
    {"ValueDupOnQos0", {v5, client}, "38 05 00 01 '+' 00 'x'", Show::all, R"(
0+1 Control Packet type and flags: 56 {MQTT Control Packet type: PUBLISH} {DUP flag: 1}
1+1 Remaining Length: 5
2+3 Topic Name: +
5+1 Property Length: 0
6+1 Payload: x
! MQTT-3.3.1-2 @0
! MQTT-3.3.2-2 @4)"},
    {"ValueUnknownReason", {v5, server}, "40 04 00 07 7f 00", Show::body, R"(
2+2 Packet Identifier: 7
4+1 PUBACK Reason Code: Unknown reason code (0x7f)
5+1 Property Length: 0
! MQTT-3.4.2-1 @4)"},
    {"ValueReservedBits", {v5, client}, "82 0b 00 01 00 00 01 'a' c0 00 01 'b' 00", Show::body, R"(
2+2 Packet Identifier: 1
4+1 Property Length: 0
5+3 Topic Filter: a
8+1 Subscription Options: 192 {Reserved: 3}
9+3 Topic Filter: b
12+1 Subscription Options: 0
! MQTT-3.8.3-5 @8)"},
    {"TypeReserved", {v5, client}, "00 02 01 02", Show::all, R"(
0+1 Control Packet type and flags: 0
1+1 Remaining Length: 2
2+2 Undecoded: 2B
! v5#2.1.2/type-0 @0)"},
    {"PropertyUnknown", {v5, client}, "30 07 00 01 't' 02 7f 00 'p'", Show::body, R"(
2+3 Topic Name: t
5+1 Property Length: 2
6+3 Undecoded: 3B
! v5#2.2.2.2/prop-unknown @6)"},
    {"PropertiesBeyondPacket", {v5, client}, "30 05 00 01 't' 05 01", Show::body, R"(
2+3 Topic Name: t
5+1 Property Length: 5
6+1 Undecoded: 1B
! v5#2.2.2.2/prop-length @5)"},
    {"PropertyBeyondProperties", {v5, client}, "30 09 00 01 't' 02 02 00 00 00 00", Show::body, R"(
2+3 Topic Name: t
5+1 Property Length: 2
6+5 Undecoded: 5B
! v5#2.1.4/rl-fit @7)"},
    {"PropertyIdAlone", {v5, client}, "30 05 00 01 't' 01 02", Show::body, R"(
2+3 Topic Name: t
5+1 Property Length: 1
6+1 Undecoded: 1B
! v5#2.1.4/rl-fit @7)"},
    {"PropertyLengthEndless", {v5, client}, "30 07 00 01 't' 80 80 80 80", Show::body, R"(
2+3 Topic Name: t
5+4 Undecoded: 4B
! v5#1.5.5/rl-4-bytes @5)"},
    {"TopicBeyondPacket", {v311, client}, "30 04 00 09 't' 'u'", Show::body, R"(
2+4 Undecoded: 4B
! v311#2.2.3/rl-fit @4)"},
    {"OptionsMissing", {v5, client}, "82 06 00 01 00 00 01 'a'", Show::body, R"(
2+2 Packet Identifier: 1
4+1 Property Length: 0
5+3 Topic Filter: a
! v5#2.1.4/rl-fit @8)"},
    {"BytesLeftOver", {v311, client}, "c0 02 00 01", Show::all, R"(
0+1 Control Packet type and flags: 192 {MQTT Control Packet type: PINGREQ}
1+1 Remaining Length: 2
2+2 Undecoded: 2B
! v311#2.2.3/rl-fit @2)"},
    {"PacketIsCut", {v311, client}, "32 09 00 01 't' 00", Show::body, R"(
2+3 Topic Name: t
5+1 Undecoded: 1B
! v311#2.2.3/rl-fit @6)"},
    {"HeaderIsCut", {v5, client}, "30 80", Show::all, R"(
0+1 Control Packet type and flags: 48 {MQTT Control Packet type: PUBLISH}
1+1 Undecoded: 1B
! v5#2.1.4/rl-fit @2)"},
    {"LengthOfFive_v5", {v5, client}, "30 80 80 80 80 01 00", Show::all, R"(
0+1 Control Packet type and flags: 48 {MQTT Control Packet type: PUBLISH}
1+6 Undecoded: 6B
! v5#1.5.5/rl-4-bytes @1)"},
    {"LengthNotMinimal_v311", {v311, client}, "c0 80 00", Show::all, R"(
0+1 Control Packet type and flags: 192 {MQTT Control Packet type: PINGREQ}
1+2 Remaining Length: 0
! v311#2.2.3/rl-minimal @1)"},
    {"LevelUnknown", {v5, client}, "10 0d 00 04 'MQTT' 06 02 00 00 00 00 00", Show::body, R"(
2+6 Protocol Name: MQTT
8+1 Protocol Version: 6
9+6 Undecoded: 6B
! MQTT-3.1.2-2 @8)"},
};
INSTANTIATE_TEST_SUITE_P(Broken, Dissect, testing::ValuesIn(broken_packets), name_of);

TEST(Dissection, CoversEachByteOfValidPacketsOnce) {
  Dissection d;
  for (const Sample& sample : all_samples()) {
    dissect(d, sample.bytes, sample.context);
    EXPECT_TRUE(d.faults.empty()) << sample.name;
    EXPECT_EQ(tiling_fault(d, sample.bytes), "") << sample.name;
    for (const Field& field : d.fields) EXPECT_NE(field.kind, FieldKind::raw) << sample.name;
  }
}

TEST(Dissection, CoversEachByteOfCutPacketsOnce) {
  Dissection d;
  for (const Sample& sample : all_samples())
    for (std::size_t size = 1; size < sample.bytes.size(); ++size) {
      const Bytes cut = Bytes{sample.bytes}.first(size);
      dissect(d, cut, sample.context);
      ASSERT_EQ(d.faults.size(), 1u) << sample.name;
      ASSERT_EQ(d.faults[0].offset, size) << sample.name;
      ASSERT_EQ(tiling_fault(d, cut), "") << sample.name;
    }
}

TEST(Dissection, SaysOfEachPropertyWhatTheDecoderSays) {
  Dissection d;
  for (const Sample& sample : all_samples()) {
    const auto packet = decode(frame_of(sample.bytes), sample.context);
    ASSERT_TRUE(packet);
    const auto* publish = std::get_if<PublishView>(&*packet);
    if (publish == nullptr) continue;
    dissect(d, sample.bytes, sample.context);
    for (const PropertyView& p : publish->properties) {
      const auto same = [&](const Field& f) {
        return f.name == property_info(p.id).name && f.number == p.number && f.text == p.text &&
               f.key == p.key;
      };
      EXPECT_TRUE(std::ranges::any_of(d.fields, same)) << sample.name;
    }
  }
}

TEST(Dissection, StopsAtABoundOfFields) {
  std::vector<std::uint8_t> packet = unhex("a2 80 80 40 00 01");
  packet.resize(packet.size() + (1 << 20) - 2);
  Dissection d;
  dissect(d, packet, {Version::v3_1_1, client});
  EXPECT_LE(d.fields.size(), fields_max + 10);
  EXPECT_EQ(d.fields.back().kind, FieldKind::raw);
  EXPECT_EQ(tiling_fault(d, packet), "");
}

TEST(Dissection, LooksAtTheFirstPacketOnly) {
  Dissection d;
  dissect(d, unhex("c0 00 c0 00"), {v5, client});
  EXPECT_TRUE(d.faults.empty());
  EXPECT_EQ(d.fields.back().offset + d.fields.back().size, 2u);
  dissect(d, {}, {v5, client});
  EXPECT_TRUE(d.fields.empty());
}

TEST(Dissection, SecretsAreShownOnlyWhenAskedFor) {
  const auto bytes = unhex("f0 0a 18 08 15 00 01 'M' 16 00 01 'd'");
  Dissection d;
  dissect(d, bytes, {v5, server});
  std::string hidden, open;
  append_value(hidden, d.fields.back());
  append_value(open, d.fields.back(), {.show_secrets = true});
  EXPECT_EQ(hidden, "***");
  EXPECT_EQ(open, "d");
}

}  // namespace
}  // namespace mqtt::test
