// Who gets a message, and how: overlaps, properties, rights, limits.
#include "routing_test.hpp"

#include <fmt/format.h>

namespace mqtt::test {
namespace {

using broker::BrokerConfig;
using broker::DropReason;

TEST_F(RoutingTest, Mqtt_3_3_4_2_OverlappingSubscriptionsGetOneCopyAtTheHighestQosWithAllIdentifiers) {
  s.subscribe("a/+:0", "subscription_identifier=1");
  s.subscribe("a/#:2", "subscription_identifier=2");
  s.subscribe("a/b:1");
  p.send("PUBLISH q=2 id=1 t=a/b p=x");
  const auto got = s.take_messages();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_THAT(got[0], StartsWith("PUBLISH q=2 id=1 t=a/b p=x"));
  EXPECT_THAT(got[0], testing::HasSubstr("subscription_identifier=1"));
  EXPECT_THAT(got[0], testing::HasSubstr("subscription_identifier=2"));
}

TEST_F(RoutingTest, Mqtt_3_8_4_3_ASecondSubscriptionReplacesTheFirst) {
  s.subscribe("a:2", "subscription_identifier=1");
  s.subscribe("a:0");
  p.send("PUBLISH q=2 id=1 t=a p=x");
  EXPECT_THAT(s.take_messages(), ElementsAre("PUBLISH q=0 id=0 t=a p=x"));
  EXPECT_EQ(rig.counters().subscriptions, 1u);
}

TEST_F(RoutingTest, Mqtt_3_8_3_3_NoLocalKeepsOnesOwnAway) {
  p.subscribe("a:1:nl");
  s.subscribe("a:1:nl");
  p.send("PUBLISH q=1 id=1 t=a p=x");
  EXPECT_THAT(p.take(), ElementsAre("PUBACK id=1"));
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=x"));
}

TEST_F(RoutingTest, Mqtt_3_3_1_12_RetainIsAsPublishedOnlyIfAsked) {
  s.subscribe("a:0:rap");
  p.subscribe("a:0");
  p.send("PUBLISH retain t=a p=x");
  p.send("PUBLISH t=a p=y");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 retain t=a p=x", "PUBLISH q=0 id=0 t=a p=y"));
  EXPECT_THAT(p.take(), ElementsAre("PUBLISH q=0 id=0 t=a p=x", "PUBLISH q=0 id=0 t=a p=y"));
}

TEST_F(RoutingTest, PropertiesArriveUnchangedAndInOrder) {
  s.subscribe("a:1", "subscription_identifier=9");
  const std::string properties =
      " user_property=a:1 payload_format_indicator=1 user_property=b:2 content_type=t response_topic=r "
      "correlation_data=c user_property=a:1";
  p.send("PUBLISH q=1 id=1 t=a p=x topic_alias=1" + properties);
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=x" + properties + " subscription_identifier=9"));
}

TEST_F(RoutingTest, Mqtt_3_3_2_6_ExpiryIsCountedDownAndTheRestDropped) {
  s.enter("id=s clean session_expiry_interval=100");
  s.subscribe("a:1");
  s.cut();
  p.send("PUBLISH q=1 id=1 t=a p=soon message_expiry_interval=5");
  p.send("PUBLISH q=1 id=2 t=a p=later message_expiry_interval=10");
  rig.advance(5s);
  s.enter("id=s");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=later message_expiry_interval=5"));
  EXPECT_EQ(rig.dropped(DropReason::expired), 1u);
  p.send("PUBLISH t=a p=now message_expiry_interval=7");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 t=a p=now message_expiry_interval=7"));
}

TEST_F(RoutingTest, Mqtt_3_1_2_25_WhatIsTooLargeForAReceiverIsDropped) {
  s.enter("id=s clean maximum_packet_size=100");
  s.subscribe("a:1");
  p.send("PUBLISH q=1 id=1 t=a p=x*100");
  p.send("PUBLISH q=1 id=2 t=a p=y");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=y"));
  EXPECT_EQ(rig.dropped(DropReason::too_large), 1u);
  EXPECT_THAT(rig.events.lines, Contains("dropped s too_large 1"));
}

TEST_F(RoutingTest, AReceiverBefore5GetsNoProperties) {
  Client old{rig, Version::v3_1_1};
  old.enter("id=old clean");
  old.subscribe("a:1");
  p.send("PUBLISH q=1 id=1 t=a p=x content_type=t message_expiry_interval=5");
  EXPECT_THAT(old.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=x"));
}

TEST_F(RoutingTest, NobodyToHaveItIsSaid) {
  p.send("PUBLISH q=1 id=1 t=a p=x");
  p.send("PUBLISH q=2 id=2 t=a p=x");
  EXPECT_THAT(p.take(), ElementsAre("PUBACK id=1 rc=0x10", "PUBREC id=2 rc=0x10", "PUBCOMP id=2"));
}

TEST_F(RoutingTest, DollarTopicsAreShieldedAndTheBrokersOwn) {
  s.subscribe("#:0");
  p.send("PUBLISH q=1 id=1 t=$SYS/x p=x");
  p.send("PUBLISH q=1 id=2 t=$mine p=x");
  EXPECT_THAT(p.take(), ElementsAre("PUBACK id=1 rc=0x87", "PUBACK id=2 rc=0x10"));
  EXPECT_THAT(s.take(), IsEmpty());
  EXPECT_EQ(rig.dropped(DropReason::publish_refused), 1u);
}

TEST_F(RoutingTest, AliasesAreUsedForReceiversThatTakeThem) {
  s.enter("id=s clean topic_alias_maximum=1");
  s.subscribe("#:0");
  for (const char* topic : {"a", "b", "a"}) p.send(fmt::format("PUBLISH t={} p=x", topic));
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 t=a p=x topic_alias=1", "PUBLISH q=0 id=0 t=b p=x",
                                    "PUBLISH q=0 id=0 t= p=x topic_alias=1"));
}

TEST(BrokerAccess, RefusedPublishBefore5IsDroppedOrDisconnects) {
  for (const bool disconnects : {false, true}) {
    BrokerConfig config;
    config.disconnect_refused_publisher = disconnects;
    Rig rig{config};
    rig.access.publish = {"secret"};
    Client five{rig}, old{rig, Version::v3_1_1}, s{rig};
    five.enter("id=five clean");
    old.enter("id=old clean");
    s.enter("id=s clean");
    s.subscribe("#:0");
    five.send("PUBLISH q=1 id=1 t=secret p=x");
    five.send("PUBLISH q=2 id=2 t=secret p=x");
    five.send("PUBLISH q=0 t=secret p=x");
    EXPECT_THAT(five.take(), ElementsAre("PUBACK id=1 rc=0x87", "PUBREC id=2 rc=0x87"));
    old.send("PUBLISH q=1 id=1 t=secret p=x");
    EXPECT_THAT(old.take(), ElementsAre(disconnects ? "closed" : "PUBACK id=1"));
    EXPECT_THAT(s.take(), IsEmpty());
    EXPECT_EQ(rig.dropped(DropReason::publish_refused), 4u);
  }
}

TEST_F(RoutingTest, DeniedSubscriptionsAndDeliveries) {
  rig.access.subscribe = {"no/#"};
  rig.access.receive = {"a/2"};
  s.send("SUBSCRIBE id=1 f=no/#:1 f=a/+:1 f=$share/g/no/#:1");
  EXPECT_THAT(s.take(), ElementsAre("SUBACK id=1 rc=0x87,0x01,0x87"));
  Client old{rig, Version::v3_1_1};
  old.enter("id=old clean");
  old.send("SUBSCRIBE id=1 f=no/#:1 f=b:2");
  EXPECT_THAT(old.take(), ElementsAre("SUBACK id=1 rc=0x80,0x02"));
  p.send("PUBLISH retain t=a/2 p=x");
  p.send("PUBLISH retain t=a/1 p=x");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 t=a/1 p=x"));
  EXPECT_EQ(rig.dropped(DropReason::not_authorized), 1u);
  s.subscribe("a/+:1");
  EXPECT_THAT(s.take(), ElementsAre("PUBLISH q=0 id=0 retain t=a/1 p=x"));
}

TEST_F(RoutingTest, UnavailableFeatures) {
  BrokerConfig config;
  config.wildcard_available = config.shared_available = config.retain_available = false;
  Rig without{config};
  Client five{without}, old{without, Version::v3_1_1};
  five.connect("id=five clean");
  EXPECT_THAT(five.take(),
              ElementsAre(testing::HasSubstr("retain_available=0 wildcard_subscription_available=0 "
                                             "shared_subscription_available=0")));
  five.send("SUBSCRIBE id=1 f=a/+:0");
  EXPECT_THAT(five.take(), ElementsAre("DISCONNECT rc=0xa2", "closed"));
  old.enter("id=old clean");
  old.send("SUBSCRIBE id=1 f=a/+:0 f=$share/g/a:0 f=a:0");
  EXPECT_THAT(old.take(), ElementsAre("SUBACK id=1 rc=0x80,0x80,0x00"));
  old.send("PUBLISH retain t=a p=x");
  EXPECT_THAT(old.take(), ElementsAre("PUBLISH q=0 id=0 t=a p=x"));
  EXPECT_EQ(without.counters().retained_messages, 0u);
}

TEST(BrokerLimits, TopicsSubscriptionsAndQos) {
  BrokerConfig config;
  config.limits.topic_levels = 2;
  config.limits.topic_length = 10;
  config.limits.subscriptions_per_client = 2;
  config.limits.subscriptions = 3;
  config.limits.maximum_qos = QoS::at_least_once;
  Rig rig{config};
  Client a{rig}, b{rig}, old{rig, Version::v3_1_1};
  a.enter("id=a clean");
  b.enter("id=b clean");
  old.enter("id=old clean");
  a.send("SUBSCRIBE id=1 f=1/2/3:0 f=12345678901:0 f=a:2 f=b:0 f=c:0 f=a:2");
  EXPECT_THAT(a.take(), ElementsAre("SUBACK id=1 rc=0x8f,0x8f,0x01,0x00,0x97,0x01"));
  b.send("SUBSCRIBE id=1 f=x:0 f=y:0");
  EXPECT_THAT(b.take(), ElementsAre("SUBACK id=1 rc=0x00,0x97"));
  a.send("PUBLISH q=1 id=1 t=1/2/3 p=x");
  EXPECT_THAT(a.take(), ElementsAre("PUBACK id=1 rc=0x90"));
  old.send("PUBLISH q=2 id=1 t=a p=x");
  EXPECT_THAT(a.take(), ElementsAre("PUBLISH q=1 id=1 t=a p=x"));
  a.send("PUBLISH q=2 id=1 t=a p=x");
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0x9b", "closed"));
}

TEST(BrokerLimits, PacketsAreBounded) {
  BrokerConfig config;
  config.limits.packet_size = 200;
  Rig rig{config};
  Client a{rig}, old{rig, Version::v3_1_1};
  a.enter("id=a clean");
  a.send("PUBLISH t=a p=x*200");
  EXPECT_THAT(a.take(), ElementsAre("DISCONNECT rc=0x95", "closed"));
  old.enter("id=old clean");
  old.send("PUBLISH t=a p=x*200");
  EXPECT_THAT(old.take(), ElementsAre("closed"));
}

TEST_F(RoutingTest, ASubackThatDoesNotFitEndsTheConnection) {
  s.enter("id=s clean maximum_packet_size=100");
  std::string filters;
  for (int i = 0; i < 100; ++i) filters += fmt::format(" f=a{}:0", i);
  s.send("SUBSCRIBE id=1" + filters);
  EXPECT_THAT(s.take(), ElementsAre("DISCONNECT rc=0x83", "closed"));
}

}  // namespace
}  // namespace mqtt::test
