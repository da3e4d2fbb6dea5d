#include <mqtt/inspect/describe.hpp>

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace mqtt::test
