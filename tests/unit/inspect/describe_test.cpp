#include <mqtt/inspect/describe.hpp>

#include <gtest/gtest.h>

#include <mqtt/inspect/reading.hpp>

#include "support/hex.hpp"
#include "support/packets.hpp"

namespace mqtt::test {
namespace {

std::string described(const PacketView& packet, Version version = Version::v5, DescribeOptions options = {}) {
  std::string out;
  append_description(out, packet, version, options);
  return out;
}

TEST(Describe, PublishShowsOnlyWhatIsNotDefault) {
  Properties properties;
  properties.add(PropertyId::message_expiry_interval, 60);
  properties.add_user_property("src", "plc3");
  PublishView p;
  p.qos = QoS::at_least_once;
  p.packet_id = 7;
  p.topic = "plant/7/temp";
  p.properties = properties;
  p.payload = as_bytes("{\"c\":21.5}");
  EXPECT_EQ(described(p), "PUBLISH  q1 #7 plant/7/temp exp=60 up{src=plc3} 10B {\"c\":21.5}");
  EXPECT_EQ(described(PublishView{.topic = "t"}), "PUBLISH  q0 t 0B");
}

TEST(Describe, PasswordsAreHiddenUnlessAskedFor) {
  ConnectView p;
  p.client_id = "plc3";
  p.user_name = "u";
  p.password = as_bytes("secret");
  p.keep_alive = 60;
  Properties properties;
  properties.add(PropertyId::session_expiry_interval, 3600).add(PropertyId::receive_maximum, 20);
  p.properties = properties;
  EXPECT_EQ(described(p), "CONNECT  v5 id=plc3 user=u pass=*** clean ka=60 sei=3600 rm=20 38B");
  EXPECT_NE(described(p, Version::v5, {.show_secrets = true}).find("pass=secret"), std::string::npos);
}

TEST(Describe, ReasonsAreNamed) {
  EXPECT_EQ(described(PubackView{{7}}), "PUBACK   #7 ok 4B");
  EXPECT_EQ(described(PubackView{{7, ReasonCode::not_authorized}}), "PUBACK   #7 Not authorized(0x87) 5B");
  ConnackView refused;
  refused.reason = ReasonCode::not_authorized;
  refused.return_code = ConnectReturnCode::not_authorized;
  EXPECT_EQ(described(refused, Version::v3_1_1), "CONNACK  not authorized(5) sp=0 4B");
}

TEST(Describe, NoControlCharacterGetsThrough) {
  PublishView p;
  p.topic = "a\x1b[2J";
  p.payload = as_bytes("x\r\ny");
  EXPECT_EQ(described(p), "PUBLISH  q0 a\\e[2J 4B x\\r\\ny");
}

TEST(Describe, EveryPacketIsOneLine) {
  for (const Sample& sample : all_samples()) {
    const auto packet = decode(frame_of(sample.bytes), sample.context);
    ASSERT_TRUE(packet) << sample.name;
    const std::string line = described(*packet, sample.context.version);
    EXPECT_TRUE(line.starts_with(to_string(type_of(*packet))));
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
}

std::string described(const char* packet, Version version, Sender sender) {
  const auto bytes = unhex(packet);
  const Reading reading = read_packet(bytes, {version, sender});
  if (!reading.packet) return "";
  return described(*reading.packet, version, {.size = bytes.size(), .body_read = reading.body_read});
}

TEST(Describe, ABrokenPacketShowsWhatItHasUpToTheFault) {
  constexpr auto v5 = Version::v5;
  constexpr auto client = Sender::client, server = Sender::server;
  const std::pair<std::string, const char*> cases[] = {
      {described("38 09 00 05 'a/+/b' 00 'x'", v5, client), "PUBLISH  q0 dup a/+/b 1B x"},
      {described("36 07 00 01 't' 00 05 00 'x'", v5, client), "PUBLISH  q3 #5 t 1B x"},
      {described("32 0a 00 01 't' 00 05 04 01 01 7f 00", v5, client), "PUBLISH  q1 #5 t pfi=1 broken 12B"},
      {described("32 05 00 09 't' 00 05", v5, client), "PUBLISH  q1 broken 7B"},
      {described("32 20 00 01 't' 00 05 00 'xy'", v5, client), "PUBLISH  q1 #5 t broken 10B"},
      {described("40 03 00 07 7f", v5, client), "PUBACK   #7 Unknown reason code(0x7f) 5B"},
      {described("40 05 00 07 10 02 1f", v5, client), "PUBACK   #7 No matching subscribers(0x10) broken 7B"},
      {described("40 04 00", v5, client), "PUBACK   broken 3B"},
      {described("82 0c 00 07 00 00 01 'a' 01 00 09 'b' 00 00", v5, client), "SUBSCRIBE #7 a:q1 broken 14B"},
      {described("82 07 00 01 00 00 01 'a' 03", v5, client), "SUBSCRIBE #1 a:q3 9B"},
      {described("20 01 00", v5, server), "CONNACK  broken 3B"},
      {described("20 03 01 87 00", v5, server), "CONNACK  Not authorized(0x87) sp=1 5B"},
      {described("e0 02 8b 05", v5, server), "DISCONNECT Server shutting down(0x8b) broken 4B"},
      {described("10 0d 00 04 'MQTT' 05 03 00 3c 00 00 00", v5, client), "CONNECT  v5 clean ka=60 15B"},
      {described("10 10 00 04 'MQTT' 05 c2 00 3c 00 00 01 'a' 00 09", v5, client),
       "CONNECT  v5 id=a clean ka=60 broken 18B"},
      {described("10 09 00 04 'MQTT' 05 02 00", v5, client), "CONNECT  v5 clean broken 11B"},
      {described("10 0d 00 04 'MQTX' 05 02 00 00 00 00 00", v5, client), ""},
  };
  for (const auto& [line, expected] : cases) EXPECT_EQ(line, expected);
}

}  // namespace
}  // namespace mqtt::test
