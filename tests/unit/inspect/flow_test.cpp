#include <mqtt/inspect/flow.hpp>

#include <random>

#include <gtest/gtest.h>

#include "conversation.hpp"
#include "support/hex.hpp"
#include "support/packets.hpp"

namespace mqtt::test {
namespace {

void expect_all(const std::string& file) {
  const auto conversations = read_conversations(MQ_CONVERSATIONS "/" + file);
  EXPECT_FALSE(conversations.empty());
  for (const Conversation& conversation : conversations)
    for (const Version version : conversation.versions)
      for (const std::string& problem : play(conversation, version).problems) ADD_FAILURE() << problem;
}

TEST(Flow, PairsAnswersAndKnowsWhatIsInFlight) { expect_all("flow.txt"); }

TEST(PostMortem, SaysWhyAConnectionEnded) { expect_all("endings.txt"); }

class Ignore final : public FlowWatcher {
 public:
  void before_packet(const FlowPacket&, const FlowState&) override {}
  void after_packet(const FlowPacket&, const FlowState&) override {}
  void on_close(const FlowClose&, const FlowState&) override {}
};

TEST(Flow, KeepsNothingForEverFromAStreamOfNewTopics) {
  Flow flow;
  Ignore ignore;
  PublishView p;
  const std::string topic(60'000, 't');
  p.topic = topic;
  for (std::uint32_t alias = 1; alias < 1000; ++alias) {
    Properties properties;
    properties.add(PropertyId::topic_alias, alias);
    p.properties = properties;
    flow.receive(Sender::client, {}, encoded(p, Version::v5), ignore);
  }
  EXPECT_TRUE(flow.state().side(Sender::client).aliases.incomplete());
  EXPECT_EQ(flow.state().side(Sender::client).aliases.find(1), topic);
  EXPECT_EQ(flow.state().side(Sender::client).aliases.find(999), "");
}

TEST(Flow, RequestsWithoutAnswerAreBounded) {
  Flow flow;
  Ignore ignore;
  for (unsigned id = 1; id <= 5000; ++id) {
    const auto at = static_cast<std::uint8_t>(id >> 8), low = static_cast<std::uint8_t>(id);
    const std::uint8_t subscribe[] = {0x82, 7, at, low, 0, 0, 1, 'a', 0}, ping[] = {0xC0, 0};
    flow.receive(Sender::client, {}, subscribe, ignore);
    flow.receive(Sender::client, {}, ping, ignore);
  }
  EXPECT_LE(flow.state().requests.size(), 256u);
  EXPECT_LE(flow.state().pings.size(), 64u);
  EXPECT_FALSE(flow.state().all_seen());
}

TEST(Flow, AnswersInAnyOrderKeepTheirCount) {
  Flow flow;
  Ignore ignore;
  std::vector<PacketId> ids;
  for (PacketId id = 1; id <= 500; ++id) {
    ids.push_back(id);
    flow.receive(Sender::server, {},
                 encoded(PublishView{.qos = QoS::at_least_once, .topic = "t", .packet_id = id}, Version::v5),
                 ignore);
  }
  std::mt19937 random{7};
  std::shuffle(ids.begin(), ids.end(), random);
  for (const PacketId id : ids)
    flow.receive(Sender::client, {}, encoded(PubackView{{id}}, Version::v5), ignore);
  EXPECT_TRUE(flow.state().side(Sender::server).messages.empty());
}

TEST(Flow, AnswersDueAreNeverMoreThanMessages) {
  Flow flow;
  Ignore ignore;
  std::mt19937 random{3};
  for (int i = 0; i < 20'000; ++i) {
    const auto id = static_cast<PacketId>(1 + random() % 3);
    const auto qos = static_cast<QoS>(1 + random() % 2);
    const PacketView packets[] = {
        PublishView{.dup = random() % 2 == 0, .qos = qos, .topic = "t", .packet_id = id}, PubackView{{id}},
        PubrecView{{id, random() % 4 == 0 ? ReasonCode::not_authorized : ReasonCode::success}},
        PubrelView{{id}}, PubcompView{{id}}};
    flow.receive(static_cast<Sender>(random() % 2), {}, encoded(packets[random() % 5], Version::v5), ignore);
    for (const SideState& side : flow.state().sides)
      ASSERT_LE(side.answers[0].size() + side.answers[1].size() + side.pubrels.size(), side.messages.size());
  }
}

TEST(FindPacketStart, WantsTwoHeadersOrAPacketThatEndsThere) {
  const auto start = [](const char* bytes) { return find_packet_start(unhex(bytes), Sender::client); };
  EXPECT_EQ(start("c0 00"), 0u);
  EXPECT_EQ(start("'xyz' c0 00"), 3u);
  EXPECT_EQ(start("ff ff 30 05 00 01 't' 00 'p' e0 00"), 2u);
  EXPECT_EQ(start("d0 00"), std::nullopt);
  EXPECT_EQ(start("30 05 00 01"), std::nullopt);
  EXPECT_EQ(start(""), std::nullopt);
}

}  // namespace
}  // namespace mqtt::test
