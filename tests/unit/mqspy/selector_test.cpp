#include "mqspy/selector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mqspy/subject.hpp"
#include "support/packets.hpp"

namespace mq::spy {
namespace {

using mqtt::PropertyId;
using mqtt::Sender;
using ::testing::HasSubstr;

Link link_of(std::uint64_t number, mqtt::TimePoint opened = {}) {
  Link link;
  link.number = number;
  link.opened = opened;
  return link;
}

/// A connection whose packets selectors are asked about.
class Conversation final : public mqtt::FlowWatcher {
 public:
  void say(Sender sender, const mqtt::PacketView& packet, int at_ms = 0) {
    say(sender, mqtt::test::encoded(packet, version), at_ms);
  }
  void say(Sender sender, mqtt::Bytes bytes, int at_ms = 0) {
    flow_.receive(sender, mqtt::TimePoint{std::chrono::milliseconds{at_ms}}, bytes, *this);
  }

  /// Of the next packet.
  [[nodiscard]] bool holds(std::string_view text, Sender sender, const mqtt::PacketView& packet,
                           int at_ms = 0) {
    asked_ = text;
    say(sender, packet, at_ms);
    asked_.clear();
    return answer_;
  }

  /// Of the packets from here on; answer() is that of the last one.
  void ask(std::string_view text) { asked_ = text; }
  [[nodiscard]] bool answer() const { return answer_; }

  void before_packet(const mqtt::FlowPacket& packet, const mqtt::FlowState& state) override {
    findings_.clear();
    mqtt::lint(packet, state, findings_);
  }
  void after_packet(const mqtt::FlowPacket& packet, const mqtt::FlowState& state) override {
    if (asked_.empty()) return;
    const auto selector = Selector::parse(asked_);
    EXPECT_TRUE(selector) << asked_ << ": " << to_string(selector.error());
    const PacketRecord record{link_, packet, state, {1, 2}, findings_};
    answer_ = selector && selector->matches(PacketSubject{record});
  }
  void on_close(const mqtt::FlowClose&, const mqtt::FlowState&) override {}

  mqtt::Version version = mqtt::Version::v5;

 private:
  Link link_ = link_of(7);
  mqtt::Flow flow_;
  std::vector<mqtt::Finding> findings_;
  std::string asked_;
  bool answer_ = false;
};

bool holds(std::string_view text, const mqtt::PacketView& packet, Sender sender = Sender::client) {
  return Conversation{}.holds(text, sender, packet);
}

mqtt::PublishView plant_message(std::string_view topic = "plant/7/temp",
                                std::string_view payload = "error 5") {
  return {
      .qos = mqtt::QoS::at_least_once, .topic = topic, .packet_id = 7, .payload = mqtt::as_bytes(payload)};
}

std::string selector_fault(std::string_view text) {
  const auto selector = Selector::parse(text);
  return selector ? "" : to_string(selector.error());
}

TEST(Selector, TheOneOfTheManual) {
  const char* text =
      R"(type==PUBLISH && topic matches "plant/+/temp" && qos>0 && !retain && payload ~ "error")";
  EXPECT_TRUE(holds(text, plant_message()));
  EXPECT_FALSE(holds(text, plant_message("plant/7/8/temp")));
  EXPECT_FALSE(holds(text, plant_message("plant/7/temp", "fine")));
  mqtt::PublishView retained = plant_message();
  retained.retain = true;
  EXPECT_FALSE(holds(text, retained));
  EXPECT_FALSE(holds(text, mqtt::PingreqView{}));
}

TEST(Selector, EachFieldOfAPublish) {
  for (const char* text : {"k==pkt",
                           "n==1",
                           "conn==c7",
                           "dir==c2s",
                           "dir==C2S",
                           "type==publish",
                           "ver==5",
                           "ver==5.0",
                           "len>10",
                           "len<64K",
                           "qos==1",
                           "qos==0x1",
                           "id==7",
                           "topic==plant/7/temp",
                           "topic=='plant/7/temp'",
                           "topic~'^plant'",
                           "topic!~x",
                           "topic!=a",
                           "payload==\"error 5\"",
                           "payload.len==7",
                           "!dup",
                           "dup==0",
                           "retain==false",
                           "inflight.c2s==1",
                           "inflight.s2c==2",
                           "has(topic)",
                           "topic",
                           "!has(client_id)",
                           "ts_us==0"})
    EXPECT_TRUE(holds(text, plant_message())) << text;
  for (const char* text : {"k==close", "dir==s2c", "ver==3.1.1", "retain", "dup", "qos==2", "client_id!=x",
                           "rtt>0", "reason", "filter matches '#'", "session_present==0"})
    EXPECT_FALSE(holds(text, plant_message())) << text;
}

TEST(Selector, JoinsBindAsInC) {
  EXPECT_TRUE(holds("qos==1 || qos==2 && id==9", plant_message()));
  EXPECT_FALSE(holds("(qos==1 || qos==2) && id==9", plant_message()));
  EXPECT_TRUE(holds("!(qos==0 || id==9)&&!!topic", plant_message()));
  EXPECT_FALSE(holds("!qos==1", plant_message()));
}

TEST(Selector, APayloadComparesAsTextAndAsNumber) {
  EXPECT_TRUE(holds("payload>20.5 && payload<1e3", plant_message("t", "21")));
  EXPECT_FALSE(holds("payload>20.5", plant_message("t", "warm")));
  EXPECT_FALSE(holds("payload==21", plant_message("t", "21.0")));
  EXPECT_TRUE(holds(R"(payload=="a \"b\" \\")", plant_message("t", R"(a "b" \)")));
}

TEST(Selector, Properties) {
  mqtt::Properties properties;
  properties.add(PropertyId::message_expiry_interval, 60);
  properties.add(PropertyId::content_type, "text/plain");
  properties.add_user_property("src", "plc3");
  properties.add_user_property("src", "plc4");
  mqtt::PublishView publish = plant_message();
  publish.properties = properties;
  for (const char* text :
       {"props.message_expiry_interval==60", "props.content_type~plain", "has(props.user_properties)",
        "props.user_properties.src==plc4", "props.user_properties.src!=x", "!has(props.user_properties.x)"})
    EXPECT_TRUE(holds(text, publish)) << text;
  // One of them is.
  EXPECT_FALSE(holds("props.user_properties.src!=plc4", publish));
  EXPECT_FALSE(holds("props.response_topic", publish));
}

TEST(Selector, ReasonsByCodeAndByName) {
  mqtt::PubackView puback;
  puback.packet_id = 1;
  puback.reason = mqtt::ReasonCode::not_authorized;
  for (const char* text :
       {"reason==0x87", "reason>=128", "reason=='Not authorized'", "reason==not_authorized", "reason~auth"})
    EXPECT_TRUE(holds(text, puback, Sender::server)) << text;
  EXPECT_FALSE(holds("reason!=0x87", puback, Sender::server));
}

TEST(Selector, AReasonOfSeveralIsEnough) {
  const std::uint8_t codes[] = {0, 0x87};
  mqtt::SubackView suback;
  suback.packet_id = 1;
  suback.reasons = codes;
  EXPECT_TRUE(holds("reason==0 && reason==0x87 && id==1", suback, Sender::server));
  EXPECT_FALSE(holds("reason==2", suback, Sender::server));
}

TEST(Selector, KnowsTheConnectionAndTheLatency) {
  Conversation conversation;
  mqtt::ConnectView connect;
  connect.client_id = "plc3";
  connect.user_name = "u";
  connect.keep_alive = 60;
  EXPECT_TRUE(conversation.holds("client_id==plc3 && user_name==u && keep_alive==60 && clean_start",
                                 Sender::client, connect));
  EXPECT_TRUE(
      conversation.holds("client_id==\"plc3\" && rtt>50ms && rtt<=51ms && rtt_us==51000 && "
                         "!session_present",
                         Sender::server, mqtt::ConnackView{}, 51));
  EXPECT_TRUE(conversation.holds("client_id==plc3 && !has(rtt)", Sender::client, mqtt::PingreqView{}, 60));
}

TEST(Selector, ResolvesTopicAliases) {
  Conversation conversation;
  mqtt::Properties alias;
  alias.add(PropertyId::topic_alias, 1);
  mqtt::PublishView first{.topic = "a/b", .properties = alias};
  conversation.say(Sender::client, first);
  first.topic = "";
  EXPECT_TRUE(conversation.holds("topic==a/b && topic matches 'a/#'", Sender::client, first));
}

TEST(Selector, FindingsOfAPacket) {
  Conversation conversation;
  mqtt::ConnectView connect;
  connect.client_id = "plc3";
  conversation.say(Sender::client, connect);
  conversation.say(Sender::server, mqtt::ConnackView{});
  mqtt::PublishView broken{.dup = true, .topic = "t"};
  EXPECT_TRUE(
      conversation.holds("lint && lint==MQTT-3.3.1-2 && sev==error && side==client", Sender::client, broken));
  EXPECT_FALSE(conversation.holds("lint", Sender::client, mqtt::PublishView{.topic = "t"}));
}

TEST(Selector, SaysWhereItIsWrong) {
  EXPECT_THAT(selector_fault(""), HasSubstr("column 1: a name is missing"));
  EXPECT_THAT(selector_fault("qos==1 && toppic"), HasSubstr("column 11: 'toppic'"));
  EXPECT_THAT(selector_fault("type==PUBLSH"), HasSubstr("column 7: 'PUBLSH' is none of CONNECT"));
  EXPECT_THAT(selector_fault("(qos==1"), HasSubstr("column 8: \")\" is missing"));
  EXPECT_THAT(selector_fault("qos==1 topic"), HasSubstr("column 8: \"&&\" or \"||\""));
  EXPECT_THAT(selector_fault("qos=="), HasSubstr("column 6: a value"));
  EXPECT_THAT(selector_fault("qos==x"), HasSubstr("column 6: 'x' is not a number"));
  EXPECT_THAT(selector_fault("rtt>soon"), HasSubstr("column 5: 'soon' is not a duration"));
  EXPECT_THAT(selector_fault("topic<3"), HasSubstr("column 6: this has no order"));
  EXPECT_THAT(selector_fault("topic matches 'a/#/b'"), HasSubstr("column 15:"));
  EXPECT_THAT(selector_fault("qos matches 'a'"), HasSubstr("column 5:"));
  EXPECT_THAT(selector_fault("payload ~ '('"), HasSubstr("column 11:"));
  EXPECT_THAT(selector_fault("payload == 'x"), HasSubstr("column 12: the quotation mark"));
  EXPECT_THAT(selector_fault("retain==2"), HasSubstr("0 or 1"));
  EXPECT_THAT(selector_fault("ver==6"), HasSubstr("a version"));
  EXPECT_THAT(selector_fault("has(props.nothing)"), HasSubstr("column 5:"));
  EXPECT_THAT(selector_fault("qos~1"), HasSubstr("column 4:"));
}

TEST(Selector, NestingIsBounded) {
  EXPECT_THAT(selector_fault(std::string(100'000, '(')), HasSubstr("levels deep"));
  EXPECT_THAT(selector_fault(std::string(100'000, '!')), HasSubstr("levels deep"));
}

TEST(Selector, AFrontEndsWhereItsOwnWordsEnd) {
  const std::string_view text = "type==PUBREC  [nth=3] do drop";
  const auto front = Selector::parse_front(text);
  ASSERT_TRUE(front);
  EXPECT_EQ(text.substr(front->size), "[nth=3] do drop");
}

TEST(Selector, AWill) {
  mqtt::ConnectView connect;
  connect.client_id = "plc3";
  EXPECT_FALSE(holds("has(will.topic) || has(will.qos) || has(will.retain)", connect));
  connect.will = mqtt::WillView{.topic = "w/t",
                                .payload = mqtt::as_bytes(std::string_view{"gone"}),
                                .qos = mqtt::QoS::at_least_once,
                                .retain = true};
  EXPECT_TRUE(holds("will.topic matches 'w/+' && will.qos==1 && will.retain && will.payload==gone", connect));
  EXPECT_FALSE(holds("will.topic==a || will.payload~x || has(topic) || has(payload)", connect));
}

TEST(Selector, FiltersOfARequest) {
  mqtt::SubscriptionList list;
  list.add("a/#", {.qos = mqtt::QoS::at_least_once, .no_local = true});
  list.add("b", {.retain_as_published = true, .retain_handling = mqtt::RetainHandling::do_not_send});
  mqtt::SubscribeView request{.packet_id = 3, .subscriptions = list.view()};
  EXPECT_TRUE(holds("filters.filter==b && filters.qos==1 && qos==0 && filters.no_local", request));
  EXPECT_TRUE(holds("filters.retain_as_published && filters.retain_handling==2", request));
  EXPECT_FALSE(holds("filters.qos==2 || filters.retain_handling==1", request));
  EXPECT_FALSE(holds("has(filters.qos) || has(filters.no_local)", plant_message()));
}

TEST(Selector, BytesHaveALength) {
  mqtt::ConnectView connect;
  connect.password = mqtt::as_bytes(std::string_view{"s3cret"});
  mqtt::Properties properties;
  properties.add(PropertyId::correlation_data, std::string_view{"abc"});
  connect.will = mqtt::WillView{.topic = "w", .payload = mqtt::as_bytes(std::string_view{"gone"})};
  connect.will->properties = properties;
  EXPECT_TRUE(holds("has(password) && password.len==6 && will && will.payload.len==4", connect));
  EXPECT_TRUE(holds("will.payload.data==gone && will.props.correlation_data.len==3 && raw.len>20", connect));
  EXPECT_FALSE(holds("has(props.correlation_data) || answers==1", connect));
  EXPECT_THAT(selector_fault("topic.len==1"), HasSubstr("column 1:"));
}

TEST(Selector, ABrokenPacketHasWhatCanBeRead) {
  Conversation conversation;
  mqtt::ConnectView connect;
  connect.client_id = "plc3";
  conversation.say(Sender::client, connect);
  conversation.ask(
      "broken && dup && topic=='a/+' && qos==0 && payload==x && lint==MQTT-3.3.1-2 && lint==MQTT-3.3.2-2");
  const std::uint8_t broken[] = {0x38, 7, 0, 3, 'a', '/', '+', 0, 'x'};
  conversation.say(Sender::client, broken);
  EXPECT_TRUE(conversation.answer());
}

TEST(Selector, WhatIsWrongWithAPacketAsAWhole) {
  EXPECT_FALSE(holds("broken || topic_by_alias || has(left_out)", plant_message()));
  const std::string huge(mqtt::payload_kept_max + 9, 'x');
  EXPECT_TRUE(holds("left_out==9 && payload.len==1048585", plant_message("t", huge)));
  Conversation conversation;
  conversation.ask("broken && type==PUBLISH");
  const std::uint8_t without_topic[] = {0x30, 3, 0, 0, 0};
  conversation.say(Sender::client, without_topic);
  EXPECT_TRUE(conversation.answer());
}

TEST(Selector, OtherRecordsThanPackets) {
  Link link = link_of(2, mqtt::TimePoint{std::chrono::seconds{1}});
  const mqtt::FlowState state;
  const mqtt::FlowClose close{.by = Sender::server,
                              .how = mqtt::FlowClose::How::reset,
                              .time = mqtt::TimePoint{std::chrono::seconds{4}}};
  const CloseRecord record{link, close, state, {}, "keep-alive", "keep-alive ran out", nullptr};
  const auto selector = Selector::parse(
      "k==close && conn==c2 && by==server && how==reset && life==3s && life_us==3000000 && why==keep-alive "
      "&& msg~out");
  ASSERT_TRUE(selector);
  EXPECT_TRUE(selector->matches(CloseSubject{record}));
  EXPECT_FALSE(Selector::parse("k==open")->matches(CloseSubject{record}));
  EXPECT_FALSE(
      Selector::parse("has(client) || has(server) || has(transport)")->matches(CloseSubject{record}));
  link.client = "10.0.0.7:51234", link.server = "10.0.0.1:1883", link.transport = "tls";
  EXPECT_TRUE(
      Selector::parse("client~'^10.0.0.7:' && server!=x && transport==tls")->matches(OpenSubject{{link}}));
  EXPECT_TRUE(Selector::parse("client~'^10.0.0.7:' && transport==tls")->matches(CloseSubject{record}));
  EXPECT_TRUE(Selector::parse("k==open && ts_us==1000000")->matches(OpenSubject{{link}}));
  EXPECT_TRUE(Selector::parse("k==open && !partial && has(partial)")->matches(OpenSubject{{link}}));
  const FaultRecord fault{
      link, {}, Sender::client, 4, "type==PUBREC do drop", "drop", mqtt::as_bytes(std::string_view{"abc"}),
      {}};
  EXPECT_TRUE(
      Selector::parse("k==fault && n==4 && action==drop && rule~'^type' && original.len==3 && sent.len==0")
          ->matches(FaultSubject{fault}));
  EXPECT_TRUE(
      Selector::parse("k==note && msg==hello && conn==c2")->matches(NoteSubject{{&link, {}, "hello"}}));
  EXPECT_TRUE(Selector::parse("k==gap && dir==s2c")->matches(GapSubject{{link, {}, Sender::server, 0}}));
}

}  // namespace
}  // namespace mq::spy
