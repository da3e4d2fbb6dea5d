#include "messages/expectation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mq {
namespace {

using mqtt::PropertyId;
using mqtt::PublishView;
using mqtt::QoS;
using ::testing::HasSubstr;

bool holds(std::string_view expression, const PublishView& message) {
  const auto expectation = Expectation::parse(expression);
  EXPECT_TRUE(expectation) << expression << ": " << expectation.error();
  return expectation && expectation->matches(message);
}

bool holds_for_payload(std::string_view expression, std::string_view payload) {
  return holds(expression, {.topic = "t", .payload = mqtt::as_bytes(payload)});
}

std::string fault(std::string_view expression) {
  const auto expectation = Expectation::parse(expression);
  return expectation ? "" : expectation.error();
}

TEST(Expectation, TopicIsAFilter) {
  const PublishView message{.topic = "a/b"};
  for (const char* expression : {"topic=a/b", "topic = a/+", "topic=#", "topic~^a", "topic!=b/#", "topic"})
    EXPECT_TRUE(holds(expression, message)) << expression;
  for (const char* expression : {"topic=a", "topic!=a/+", "topic~^b", "topic!~b$"})
    EXPECT_FALSE(holds(expression, message)) << expression;
}

TEST(Expectation, PayloadAsTextAndRegex) {
  EXPECT_TRUE(holds_for_payload("payload=on", "on"));
  EXPECT_FALSE(holds_for_payload("payload=on", "on\n"));
  EXPECT_TRUE(holds_for_payload("payload!=on", "off"));
  EXPECT_TRUE(holds_for_payload("payload~o[nf]+$", "off"));
  EXPECT_FALSE(holds_for_payload("payload!~o", "off"));
  EXPECT_TRUE(holds_for_payload("payload=", ""));
  EXPECT_TRUE(holds_for_payload(R"(payload=" a && \"b\" \u0000")", std::string_view{" a && \"b\" \0", 11}));
}

TEST(Expectation, ARegexSeesBytesBehindANul) {
  EXPECT_TRUE(holds_for_payload("payload~end$", std::string_view{"a\0\xff"
                                                                 "end",
                                                                 6}));
}

TEST(Expectation, AHugePayloadDoesNotExhaustTheStack) {
  const std::string huge(8'000'000, 'x');
  EXPECT_TRUE(holds_for_payload("payload~(x|y)*x$", huge));
  EXPECT_FALSE(holds_for_payload("/a", std::string(1'000'000, '[')));
}

TEST(Expectation, PayloadAsNumber) {
  EXPECT_TRUE(holds_for_payload("payload>=20.5", "20.5"));
  EXPECT_TRUE(holds_for_payload("payload<1e3", "-7"));
  EXPECT_FALSE(holds_for_payload("payload>20", "20"));
  EXPECT_FALSE(holds_for_payload("payload>20", "warm"));
  EXPECT_FALSE(holds_for_payload("payload<=20", ""));
}

TEST(Expectation, FlagsAndProperties) {
  mqtt::Properties properties;
  properties.add(PropertyId::content_type, "text/plain");
  properties.add_user_property("k", "v");
  properties.add_user_property("k", "second");
  const PublishView message{
      .qos = QoS::at_least_once, .retain = true, .topic = "t", .properties = properties};
  for (const char* expression : {"qos=1", "qos>=1", "retain=1", "content-type=text/plain",
                                 "content-type~^text", "user.k=v", "user.k", "user.k=v && qos=1&&retain=1"})
    EXPECT_TRUE(holds(expression, message)) << expression;
  for (const char* expression :
       {"qos=2", "retain=0", "response-topic", "response-topic!=x", "user.x!=v", "user.k=v && qos=2"})
    EXPECT_FALSE(holds(expression, message)) << expression;
}

TEST(Expectation, JsonPointers) {
  constexpr std::string_view payload = R"({"a":{"b":[1,2.5,"x"],"n":null,"t":true},"c/d":{"e~f":7},"":0})";
  for (const char* expression :
       {"/a", "/a/b/0=1", "/a/b/1>2", "/a/b/1<=2.5", "/a/b/2=x", "/a/b/2=\"x\"", "/a/b/2>\"w\"", "/a/n=null",
        "/a/t=true", "/c~1d/e~0f=7", "/a/b=[1,2.5,\"x\"]", "/=0", "/a/b/2~^x$", "/a/b/0!=2", "/c~1d/e~0f~7"})
    EXPECT_TRUE(holds_for_payload(expression, payload)) << expression;
  for (const char* expression : {"/x", "/x!=1", "/a/b/3", "/a/b/-1", "/a/b/00=1 && /x", "/a/b/2>1", "/a/t=1",
                                 "/a/b/2!~x", "/a/b/0=\"1\""})
    EXPECT_FALSE(holds_for_payload(expression, payload)) << expression;
  EXPECT_FALSE(holds_for_payload("/a", "no json"));
  EXPECT_FALSE(holds_for_payload("/a", R"({"a":1} )"
                                       "x"));
}

TEST(Expectation, SaysWhatIsWrong) {
  EXPECT_THAT(fault(""), HasSubstr("missing"));
  EXPECT_THAT(fault("qos=1 &&"), HasSubstr("missing"));
  EXPECT_THAT(fault("colour=red"), HasSubstr("'colour'"));
  EXPECT_THAT(fault("payload~("), HasSubstr("regular expression"));
  EXPECT_THAT(fault("/a~("), HasSubstr("regular expression"));
  EXPECT_THAT(fault("topic=a#"), HasSubstr("'a#'"));
  EXPECT_THAT(fault("payload>warm"), HasSubstr("'warm'"));
  EXPECT_THAT(fault("payload=\"open"), HasSubstr("JSON string"));
  EXPECT_THAT(fault("qos=3"), HasSubstr("'3'"));
  EXPECT_THAT(fault("retain=yes"), HasSubstr("'yes'"));
}

}  // namespace
}  // namespace mq
