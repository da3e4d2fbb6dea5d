#include "common/property_options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/temp_directory.hpp"

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PropertyPlace;
using testing::HasSubstr;

constexpr std::array<PropertyPlace, 4> sent{PropertyPlace::connect, PropertyPlace::will,
                                            PropertyPlace::publish, PropertyPlace::subscribe};

std::string add(PropertySet& set, const std::vector<std::string>& values) {
  const auto added = add_property(set, values, sent);
  return added ? "" : added.error();
}

TEST(PropertyOption, EachTypeIsRead) {
  PropertySet set;
  EXPECT_EQ(add(set, {"connect", "session-expiry-interval", "60"}), "");
  EXPECT_EQ(add(set, {"CONNECT", "receive_maximum", "10"}), "");
  EXPECT_EQ(add(set, {"publish", "content-type", "text/plain"}), "");
  EXPECT_EQ(add(set, {"publish", "payload-format-indicator", "1"}), "");
  EXPECT_EQ(add(set, {"subscribe", "subscription-identifier", "268435455"}), "");
  const mqtt::PropertiesView connect = set.at(PropertyPlace::connect);
  EXPECT_EQ(connect.number(PropertyId::session_expiry_interval), 60u);
  EXPECT_EQ(connect.number(PropertyId::receive_maximum), 10u);
  EXPECT_EQ(set.at(PropertyPlace::publish).view().text(PropertyId::content_type), "text/plain");
  EXPECT_EQ(set.at(PropertyPlace::subscribe).view().number(PropertyId::subscription_identifier), 268435455u);
}

TEST(PropertyOption, UserPropertyHasTwoValuesAndRepeats) {
  EXPECT_EQ(property_values_wanted({}), 3u);
  EXPECT_EQ(property_values_wanted(std::vector<std::string>{"publish", "content-type"}), 3u);
  EXPECT_EQ(property_values_wanted(std::vector<std::string>{"publish", "user-property"}), 4u);
  PropertySet set;
  EXPECT_EQ(add(set, {"publish", "user-property", "k", "v"}), "");
  EXPECT_EQ(add(set, {"publish", "user-property", "k", ""}), "");
  const mqtt::PropertiesView view = set.at(PropertyPlace::publish);
  EXPECT_EQ(std::distance(view.begin(), view.end()), 2);
}

TEST(PropertyOption, BinaryIsTextBase64OrAFile) {
  const mqtt::test::TempDirectory directory;
  const std::string path = directory.write("value", std::string("\0\xff\n", 3));
  const auto data = [](const std::string& value) {
    PropertySet set;
    EXPECT_EQ(add(set, {"publish", "correlation-data", value}), "");
    return std::string{
        set.at(PropertyPlace::publish).view().text(PropertyId::correlation_data).value_or("none")};
  };
  EXPECT_EQ(data("plain"), "plain");
  EXPECT_EQ(data("base64:AP8="), std::string("\0\xff", 2));
  EXPECT_EQ(data("@" + path), std::string("\0\xff\n", 3));
  PropertySet set;
  EXPECT_EQ(add(set, {"publish", "correlation-data", "base64:A"}), "'A' is not base64");
  EXPECT_THAT(add(set, {"publish", "correlation-data", "@/no/such/file"}), HasSubstr("No such file"));
}

TEST(PropertyOption, MistakesAreNamedAndChangeNothing) {
  PropertySet set;
  EXPECT_EQ(add(set, {"puback", "reason-string", "x"}),
            "'puback' is not one of connect, will, publish, subscribe");
  EXPECT_EQ(add(set, {"publish", "colour", "x"}), "'colour' is not a property of MQTT 5");
  EXPECT_EQ(add(set, {"subscribe", "topic-alias", "1"}), "Topic Alias is not a property of subscribe");
  EXPECT_EQ(add(set, {"connect", "receive-maximum", "0"}),
            "Receive Maximum: '0' is not a number from 1 to 65535");
  EXPECT_EQ(add(set, {"connect", "receive-maximum", "65536"}),
            "Receive Maximum: '65536' is not a number from 1 to 65535");
  EXPECT_EQ(add(set, {"connect", "receive-maximum", "1x"}),
            "Receive Maximum: '1x' is not a number from 1 to 65535");
  EXPECT_EQ(add(set, {"publish", "payload-format-indicator", "2"}),
            "Payload Format Indicator: '2' is not a number from 0 to 1");
  EXPECT_THAT(add(set, {"publish", "content-type", "\xff"}), HasSubstr("MQTT-1.5.4-1"));
  EXPECT_THAT(add(set, {"publish", "response-topic", "a/#"}), HasSubstr("MQTT-3.3.2-14"));
  EXPECT_EQ(add(set, {"publish", "content-type", std::string(65'536, 'x')}),
            "Content Type is longer than 65535 bytes");
  EXPECT_TRUE(set.empty());
}

TEST(PropertyOption, Mqtt_3_3_4_6_ClientDoesNotPublishWithASubscriptionIdentifier) {
  PropertySet set;
  EXPECT_THAT(add(set, {"publish", "subscription-identifier", "1"}), HasSubstr("MQTT-3.3.4-6"));
}

TEST(PropertyOption, SinglePropertyIsGivenOnce) {
  PropertySet set;
  EXPECT_EQ(add(set, {"publish", "content-type", "a"}), "");
  EXPECT_EQ(add(set, {"publish", "content-type", "b"}), "Content Type may be given to publish only once");
  EXPECT_EQ(add(set, {"will", "content-type", "b"}), "");
  EXPECT_EQ(set.at(PropertyPlace::publish).view().text(PropertyId::content_type), "a");
}

}  // namespace
}  // namespace mq
