#include <mqtt/codec/property.hpp>

#include <gtest/gtest.h>

#include <set>

#include <mqtt/codec/reason.hpp>

namespace mqtt::test {
namespace {

TEST(Property, AllTwentySevenAreKnown) {
  std::set<std::string_view> keys;
  for (const PropertyInfo& info : all_properties()) {
    keys.insert(info.key);
    EXPECT_EQ(find_property(static_cast<std::uint32_t>(info.id)), &info);
    EXPECT_EQ(find_property(info.name), &info);
    EXPECT_NE(info.places, 0);
  }
  EXPECT_EQ(keys.size(), 27u);
  EXPECT_EQ(find_property(0u), nullptr);
  EXPECT_EQ(find_property(4u), nullptr);
  EXPECT_EQ(find_property(43u), nullptr);
  EXPECT_EQ(find_property("message-expiry-interval")->id, PropertyId::message_expiry_interval);
  EXPECT_EQ(find_property("nonsense"), nullptr);
}

TEST(Properties, AreReadBackInOrder) {
  Properties p;
  p.add(PropertyId::topic_alias, 300).add(PropertyId::subscription_identifier, 200'000);
  EXPECT_TRUE(p.add(PropertyId::correlation_data, std::string_view("\0\xFF", 2)));
  EXPECT_TRUE(p.add_user_property("k", "v"));
  EXPECT_TRUE(p.add_user_property("k", ""));
  std::vector<PropertyView> read(p.view().begin(), p.view().end());
  ASSERT_EQ(read.size(), 5u);
  EXPECT_EQ(read[0].number, 300u);
  EXPECT_EQ(read[1].number, 200'000u);
  EXPECT_EQ(read[2].text, std::string_view("\0\xFF", 2));
  EXPECT_EQ(read[3].key, "k");
  EXPECT_EQ(read[3].text, "v");
  EXPECT_EQ(read[4].text, "");
}

TEST(Properties, RemoveTakesAllOfOneIdAndKeepsTheOrderOfTheRest) {
  Properties p;
  p.add_user_property("a", "1");
  p.add(PropertyId::topic_alias, 1);
  p.add_user_property("b", "2");
  p.remove(PropertyId::topic_alias);
  EXPECT_FALSE(p.view().find(PropertyId::topic_alias));
  p.remove(PropertyId::user_property);
  EXPECT_TRUE(p.empty());
}

TEST(Properties, AFieldAbove65535BytesIsNotAdded) {
  Properties p;
  EXPECT_FALSE(p.add(PropertyId::content_type, std::string(65'536, 'x')));
  EXPECT_FALSE(p.add_user_property("k", std::string(65'536, 'x')));
  EXPECT_TRUE(p.empty());
}

TEST(Reason, NamesDependOnThePacket) {
  EXPECT_EQ(reason_name(ReasonCode::success, PacketType::puback), "Success");
  EXPECT_EQ(reason_name(ReasonCode::success, PacketType::disconnect), "Normal disconnection");
  EXPECT_EQ(reason_name(ReasonCode::success, PacketType::suback), "Granted QoS 0");
  EXPECT_EQ(reason_name(static_cast<ReasonCode>(0x7E), PacketType::suback), "Unknown reason code");
}

// Section 4 of the specification's tables, as sets of bytes per packet and sender.
TEST(Reason, TablesOfEachPacket) {
  const auto allowed = [](PacketType type, Sender sender) {
    std::set<unsigned> codes;
    for (unsigned code = 0; code < 256; ++code)
      if (reason_allowed(static_cast<ReasonCode>(code), type, sender)) codes.insert(code);
    return codes;
  };
  using S = std::set<unsigned>;
  const auto from_server = Sender::server, from_client = Sender::client;
  EXPECT_EQ(allowed(PacketType::connack, from_server),
            (S{0,    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
               0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F}));
  EXPECT_EQ(allowed(PacketType::puback, from_server), (S{0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}));
  EXPECT_EQ(allowed(PacketType::pubrec, from_client), (S{0, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}));
  EXPECT_EQ(allowed(PacketType::pubrel, from_client), (S{0, 0x92}));
  EXPECT_EQ(allowed(PacketType::pubcomp, from_server), (S{0, 0x92}));
  EXPECT_EQ(allowed(PacketType::suback, from_server),
            (S{0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2}));
  EXPECT_EQ(allowed(PacketType::unsuback, from_server), (S{0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91}));
  EXPECT_EQ(allowed(PacketType::auth, from_server), (S{0, 0x18}));
  EXPECT_EQ(allowed(PacketType::auth, from_client), (S{0x18, 0x19}));
  EXPECT_EQ(allowed(PacketType::disconnect, from_client),
            (S{0, 4, 0x80, 0x81, 0x82, 0x83, 0x8C, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9B}));
  EXPECT_EQ(allowed(PacketType::disconnect, from_server),
            (S{0,    0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94,
               0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2}));
}

}  // namespace
}  // namespace mqtt::test
