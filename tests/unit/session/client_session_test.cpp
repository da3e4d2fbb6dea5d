#include <gtest/gtest.h>

#include "session_pair.hpp"

namespace mqtt {
namespace {

using test::connect;
using test::feed;

class ClientSessionTest : public testing::Test {
 protected:
  ChunkPool pool_;
  test::QuietHandler handler_;
  ClientSession session_{pool_};
};

TEST_F(ClientSessionTest, Mqtt_2_2_1_3_IdentifiersInFlightAreSkippedWhenTheyComeRoundAgain) {
  connect(session_, handler_);
  const PublishView qos_1{.qos = QoS::at_least_once, .topic = "t"};
  const PacketId kept = *session_.publish({}, qos_1, {});
  SubscriptionList list;
  list.add("t", {});
  const PacketId requested = *session_.subscribe({}, list.view());
  for (int i = 0; i < 65'535; ++i) {
    const auto id = session_.publish({}, qos_1, {});
    ASSERT_TRUE(id);
    ASSERT_NE(*id, kept);
    ASSERT_NE(*id, requested);
    ASSERT_NE(*id, 0);
    session_.output().clear();
    feed(session_, handler_, PubackView{{*id, ReasonCode::success, {}}});
  }
  EXPECT_EQ(session_.in_flight(), 1u);
}

TEST_F(ClientSessionTest, RunsOutOfIdentifiersWithAFault) {
  connect(session_, handler_);
  SubscriptionList list;
  list.add("t", {});
  for (int i = 0; i < 65'535; ++i) {
    ASSERT_TRUE(session_.subscribe({}, list.view()));
    session_.output().clear();
  }
  const auto none = session_.subscribe({}, list.view());
  ASSERT_FALSE(none);
  EXPECT_EQ(session_fault(none.error()), SessionFault::no_packet_id);
}

TEST_F(ClientSessionTest, FaultsAreFinishedSentencesWithNumbers) {
  Properties limits;
  limits.add(PropertyId::maximum_packet_size, 2'000'000);
  connect(session_, handler_, {.properties = limits});
  const auto payload = SharedBytes::take(std::string(3'000'003, 'x'));
  const auto refused = session_.publish({}, {.topic = "t"}, payload);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().domain, ErrorDomain::session);
  EXPECT_EQ(session_fault(refused.error()), SessionFault::packet_too_large);
  EXPECT_EQ(refused.error().context,
            "message of 3,000,012 bytes is larger than the server's Maximum Packet Size of 2,000,000");
  EXPECT_TRUE(session_.output().empty());
}

TEST_F(ClientSessionTest, ALargePayloadIsReferencedNotCopied) {
  connect(session_, handler_);
  const auto payload = SharedBytes::take(std::string(1'000'000, 'x'));
  ASSERT_TRUE(session_.publish({}, {.qos = QoS::at_least_once, .topic = "t"}, payload));
  iovec parts[4];
  const std::size_t count = session_.output().gather(parts);
  EXPECT_EQ(parts[count - 1].iov_base, payload.bytes.data());
}

TEST_F(ClientSessionTest, AHandlerMayEndTheConnectionBetweenTwoPacketsOfOneRead) {
  struct Leaver final : test::QuietHandler {
    void on_message(const PublishView&, AckToken) override {
      ++messages;
      EXPECT_TRUE(session->disconnect({}));
    }
    ClientSession* session = nullptr;
    int messages = 0;
  } leaver;
  leaver.session = &session_;
  connect(session_, handler_);
  const std::string one = test::encoded(PublishView{.qos = QoS::at_least_once, .topic = "t", .packet_id = 1});
  session_.receive({}, as_bytes(one + one), leaver);
  EXPECT_EQ(leaver.messages, 1);
  EXPECT_EQ(session_.close_info()->reason, CloseReason::local_disconnect);
  EXPECT_EQ(session_.output().size(), 2u) << "DISCONNECT, and no PUBACK behind it [MQTT-3.14.4-1]";
}

TEST_F(ClientSessionTest, AHandlerMayPublishFromEveryCall) {
  struct Busy final : test::QuietHandler {
    void on_message(const PublishView&, AckToken) override { send(); }
    void on_published(PacketId, ReasonCode, PropertiesView) override { send(); }
    void on_connack(const ConnackView&) override { send(); }
    void send() { (void)session->publish({}, {.qos = QoS::at_least_once, .topic = "t"}, {}); }
    ClientSession* session = nullptr;
  } busy;
  busy.session = &session_;
  connect(session_, busy);
  for (PacketId id = 1; id < 100; ++id) feed(session_, busy, PubackView{{id, ReasonCode::success, {}}});
  feed(session_, busy, PublishView{.topic = "t"});
  EXPECT_EQ(session_.in_flight(), 2u);
}

}  // namespace
}  // namespace mqtt
