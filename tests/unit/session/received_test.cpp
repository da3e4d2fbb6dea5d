#include <gtest/gtest.h>

#include <mqtt/session/received.hpp>

namespace mqtt {
namespace {

TEST(AckQueue, Mqtt_4_6_0_2_GivesAcknowledgementsInOrderOfArrival) {
  AckQueue queue;
  queue.begin_connection(1);
  std::vector<AckToken> tokens;
  for (PacketId id = 1; id <= 20; ++id) tokens.push_back(queue.push(id, QoS::at_least_once));
  for (std::size_t i = tokens.size(); i-- > 1;) {
    queue.acknowledge(tokens[i], ReasonCode::success, {});
    EXPECT_FALSE(queue.pop());
  }
  queue.acknowledge(tokens[0], ReasonCode::quota_exceeded, {});
  for (PacketId id = 1; id <= 20; ++id) {
    const auto ready = queue.pop();
    ASSERT_TRUE(ready);
    EXPECT_EQ(ready->token.id, id);
    EXPECT_EQ(ready->reason, id == 1 ? ReasonCode::quota_exceeded : ReasonCode::success);
  }
  EXPECT_FALSE(queue.pop());
  EXPECT_EQ(queue.size(), 0u);
}

TEST(AckQueue, KnowsTokensOfItsOwnConnectionOnly) {
  AckQueue queue;
  queue.begin_connection(1);
  const AckToken old = queue.push(5, QoS::at_least_once);
  EXPECT_EQ(queue.find(old), QoS::at_least_once);
  queue.begin_connection(2);
  EXPECT_FALSE(queue.find(old));
  const AckToken present = queue.push(5, QoS::exactly_once);
  EXPECT_EQ(queue.find(present), QoS::exactly_once);
  queue.acknowledge(present, ReasonCode::success, {});
  EXPECT_FALSE(queue.find(present)) << "once is enough";
  EXPECT_FALSE(queue.find({5, 2, 9})) << "nothing has this place";
}

}  // namespace
}  // namespace mqtt
