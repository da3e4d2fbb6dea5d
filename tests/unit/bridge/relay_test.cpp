#include <mqtt/bridge/relay.hpp>

#include <gmock/gmock.h>

#include <array>
#include <string>
#include <vector>

#include <mqtt/codec/decode.hpp>
#include <mqtt/codec/encode.hpp>
#include <mqtt/codec/framer.hpp>

namespace mqtt::bridge {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr TimePoint now{};

/// A client's session with a server that this test plays.
class Peer final : public SessionHandler {
 public:
  explicit Peer(ChunkPool& pool) : pool_{pool}, session_{pool, {.ack_mode = AckMode::relayed}} {}

  ClientSession& connect(const Properties& limits = {}) {
    ConnectOptions options;
    options.client_id = "c";
    EXPECT_TRUE(session_.connect(now, options));
    session_.output().clear();
    say(ConnackView{.properties = limits.view()});
    return session_;
  }
  void say(const PacketView& packet) {
    OutBuffer out{pool_};
    ASSERT_TRUE(encode(out, packet, Version::v5));
    const std::string bytes = take(out);
    session_.receive(now, as_bytes(bytes), *this);
  }
  /// What the session has said since the last call: "PUBLISH q2 #7 a/b", "PUBREC #7".
  std::vector<std::string> said() {
    const std::string bytes = take(session_.output());
    std::vector<std::string> lines;
    Framer framer;
    Bytes rest = as_bytes(bytes);
    while (auto frame = framer.next(rest).value())
      lines.push_back(line_of(decode(*frame, {.version = Version::v5}).value()));
    return lines;
  }
  ClientSession& session() { return session_; }

  void on_message(const PublishView&, AckToken) override {}
  void on_published(PacketId, ReasonCode, PropertiesView) override {}

 private:
  static std::string take(OutBuffer& out) {
    std::string bytes;
    for (std::array<iovec, 1> part; out.gather(part) > 0; out.consume(part[0].iov_len))
      bytes.append(static_cast<const char*>(part[0].iov_base), part[0].iov_len);
    return bytes;
  }
  static std::string response_of(const PublishView& publish) {
    const auto topic = publish.properties.text(PropertyId::response_topic);
    return topic ? " -> " + std::string{*topic} : "";
  }
  static std::string line_of(const PacketView& packet) {
    if (const auto* p = std::get_if<PublishView>(&packet))
      return "PUBLISH q" + std::to_string(to_number(p->qos)) + " #" + std::to_string(p->packet_id) + " " +
             std::string{p->topic} + response_of(*p);
    const auto ack = [](std::string name, const AckView& a) {
      return name + " #" + std::to_string(a.packet_id);
    };
    if (const auto* p = std::get_if<PubackView>(&packet)) return ack("PUBACK", *p);
    if (const auto* p = std::get_if<PubrecView>(&packet)) return ack("PUBREC", *p);
    if (const auto* p = std::get_if<PubrelView>(&packet)) return ack("PUBREL", *p);
    if (const auto* p = std::get_if<PubcompView>(&packet)) return ack("PUBCOMP", *p);
    return "another one";
  }

  ChunkPool& pool_;
  ClientSession session_;
};

class RelayTest : public ::testing::Test, private RelayEvents {
 protected:
  void begin(const Properties& remote_limits = {}, const Properties& local_limits = {}) {
    relay_.begin_remote(remote_.connect(remote_limits), false);
    relay_.begin_local(now, local_.connect(local_limits));
  }
  static PublishView message(QoS qos, PacketId id, std::string_view topic = "a") {
    return {.qos = qos, .topic = topic, .packet_id = id, .payload = as_bytes("x")};
  }
  static Properties limit(PropertyId id, std::uint32_t value) {
    Properties properties;
    properties.add(id, value);
    return properties;
  }

  ChunkPool pool_;
  const TopicRules rules_{{parse_topic_rule("# both 2 \"\" far/").value()}};
  Relay relay_{rules_, *this, SipKey{1}};
  Peer local_{pool_}, remote_{pool_};
  int dropped_ = 0, refused_ = 0, no_room_ = 0;

 private:
  void on_dropped(Way, std::string_view, const Error&) override { ++dropped_; }
  void on_refused(Way, ReasonCode) override { ++refused_; }
  void on_no_room(Way) override { ++no_room_; }
};

TEST_F(RelayTest, EachServerAnswersTheOther) {
  begin();
  relay_.from_local(now, message(QoS::exactly_once, 7));
  EXPECT_THAT(remote_.said(), ElementsAre("PUBLISH q2 #7 far/a"));
  EXPECT_THAT(local_.said(), IsEmpty());
  relay_.flow_from_remote(now, PacketType::pubrec, {.packet_id = 7});
  EXPECT_THAT(local_.said(), ElementsAre("PUBREC #7"));
  EXPECT_THAT(remote_.said(), IsEmpty());
  relay_.flow_from_local(now, PacketType::pubrel, {.packet_id = 7});
  EXPECT_THAT(remote_.said(), ElementsAre("PUBREL #7"));
  relay_.flow_from_remote(now, PacketType::pubcomp, {.packet_id = 7});
  EXPECT_THAT(local_.said(), ElementsAre("PUBCOMP #7"));
}

TEST_F(RelayTest, ResponseTopicsMoveWithTheOthers) {
  begin();
  Properties asks;
  asks.add(PropertyId::response_topic, "answers/1");
  asks.add(PropertyId::correlation_data, "c");
  PublishView request = message(QoS::at_most_once, 0, "ask");
  request.properties = asks;
  relay_.from_local(now, request);
  EXPECT_THAT(remote_.said(), ElementsAre("PUBLISH q0 #0 far/ask -> far/answers/1"));
  relay_.from_local(now, message(QoS::at_most_once, 0, "ask"));
  EXPECT_THAT(remote_.said(), ElementsAre("PUBLISH q0 #0 far/ask"));
  request.topic = "far/ask";
  relay_.from_remote(now, request);
  EXPECT_THAT(local_.said(), ElementsAre("PUBLISH q0 #0 ask -> answers/1"))
      << "no answer goes there: as it was";
  Properties far;
  far.add(PropertyId::response_topic, "far/answers/2");
  request.properties = far;
  relay_.from_remote(now, request);
  EXPECT_THAT(local_.said(), ElementsAre("PUBLISH q0 #0 ask -> answers/2"));
}

TEST_F(RelayTest, Qos2BecomesQos1ForWhomThatIsTheMost) {
  begin(limit(PropertyId::maximum_qos, 1));
  relay_.from_local(now, message(QoS::exactly_once, 7));
  EXPECT_THAT(remote_.said(), ElementsAre("PUBLISH q1 #7 far/a"));
  relay_.flow_from_remote(now, PacketType::puback, {.packet_id = 7});
  EXPECT_THAT(local_.said(), ElementsAre("PUBREC #7"));
  relay_.flow_from_local(now, PacketType::pubrel, {.packet_id = 7});
  EXPECT_THAT(local_.said(), ElementsAre("PUBCOMP #7"));
  EXPECT_THAT(remote_.said(), IsEmpty());
}

TEST_F(RelayTest, WhatComesBeforeThisBrokerIsThereWaits) {
  relay_.begin_remote(remote_.connect(), false);
  relay_.from_remote(now, message(QoS::at_least_once, 3, "far/a"));
  relay_.flow_from_remote(now, PacketType::pubrel, {.packet_id = 2});
  EXPECT_TRUE(relay_.holds());
  EXPECT_THAT(remote_.said(), IsEmpty());
  relay_.begin_local(now, local_.connect());
  EXPECT_FALSE(relay_.holds());
  EXPECT_THAT(local_.said(), ElementsAre("PUBREL #2", "PUBLISH q1 #3 a"));
}

TEST_F(RelayTest, ThisBrokersReceiveMaximumIsKept) {
  begin({}, limit(PropertyId::receive_maximum, 1));
  for (const PacketId id : {PacketId{1}, PacketId{2}})
    relay_.from_remote(now, message(QoS::at_least_once, id, "far/a"));
  EXPECT_THAT(local_.said(), ElementsAre("PUBLISH q1 #1 a"));
  EXPECT_TRUE(relay_.holds());
  relay_.flow_from_local(now, PacketType::puback, {.packet_id = 1});
  EXPECT_THAT(local_.said(), ElementsAre("PUBLISH q1 #2 a"));
  EXPECT_THAT(remote_.said(), ElementsAre("PUBACK #1"));
}

TEST_F(RelayTest, AConnectionThatIsEndingAcknowledgesNothing) {
  begin();
  remote_.say(DisconnectView{ReasonCode::server_shutting_down, {}});
  relay_.from_local(now, message(QoS::at_least_once, 7));
  EXPECT_THAT(local_.said(), IsEmpty());
  EXPECT_EQ(dropped_, 0);
}

TEST_F(RelayTest, WhatCannotBeSaidThereEndsHere) {
  begin(limit(PropertyId::maximum_packet_size, 12));
  relay_.from_local(now, message(QoS::exactly_once, 7, "a-long-topic"));
  EXPECT_EQ(dropped_, 1);
  EXPECT_THAT(local_.said(), ElementsAre("PUBREC #7"));
  relay_.flow_from_local(now, PacketType::pubrel, {.packet_id = 7});
  EXPECT_THAT(local_.said(), ElementsAre("PUBCOMP #7"));
}

TEST_F(RelayTest, NoRoomIsNoAnswer) {
  begin();
  relay_.from_local(now, message(QoS::at_least_once, 7));
  relay_.flow_from_remote(now, PacketType::puback, {.packet_id = 7, .reason = ReasonCode::quota_exceeded});
  EXPECT_EQ(no_room_, 1);
  EXPECT_THAT(local_.said(), IsEmpty());
  relay_.flow_from_remote(now, PacketType::puback, {.packet_id = 7, .reason = ReasonCode::not_authorized});
  EXPECT_EQ(refused_, 1);
  EXPECT_THAT(local_.said(), ElementsAre("PUBACK #7"));
}

}  // namespace
}  // namespace mqtt::bridge
