#include <gmock/gmock.h>

#include <mqtt/session/inflight.hpp>

namespace mqtt {
namespace {

using testing::ElementsAre;

PublishView message(std::string_view topic) { return {.qos = QoS::exactly_once, .topic = topic}; }

std::vector<PacketId> order(const Inflight& messages) {
  std::vector<PacketId> ids;
  for (auto* entry = messages.next(); entry; entry = messages.next(entry)) ids.push_back(entry->id);
  return ids;
}

TEST(Inflight, Mqtt_4_6_0_4_ReleasedMessagesMoveToTheEnd) {
  Inflight messages;
  for (const PacketId id : {PacketId{3}, PacketId{1}, PacketId{2}}) messages.add(id, message("t"), {});
  messages.release(3, ReasonCode::success);
  EXPECT_THAT(order(messages), ElementsAre(1, 2, 3));
  messages.release(1, ReasonCode::success);
  messages.add(4, message("t"), {});
  EXPECT_THAT(order(messages), ElementsAre(2, 3, 1, 4));
  messages.remove(3);
  EXPECT_THAT(order(messages), ElementsAre(2, 1, 4));
  EXPECT_EQ(messages.size(), 3u);
}

TEST(Inflight, Mqtt_3_3_1_1_OnlyWhatWasSentInThisSessionIsARepetition) {
  Inflight messages;
  messages.add(1, message("t"), {});
  messages.add(2, message("t"), {});
  messages.mark_sent(1);
  messages.begin_connection(true);
  EXPECT_EQ(messages.sent(), 0u);
  EXPECT_TRUE(messages.find(1)->dup);
  EXPECT_FALSE(messages.find(2)->dup);
  messages.begin_connection(true);
  EXPECT_TRUE(messages.find(1)->dup) << "still so, though the last connection did not get to it";
  messages.begin_connection(false);
  EXPECT_FALSE(messages.find(1)->dup);
}

TEST(Inflight, CountsWhatWasSentOnThisConnection) {
  Inflight messages;
  messages.add(1, message("t"), {});
  messages.add(2, message("t"), {});
  messages.mark_sent(1);
  messages.mark_sent(1);
  EXPECT_EQ(messages.sent(), 1u);
  messages.remove(2);
  EXPECT_EQ(messages.sent(), 1u);
  messages.remove(1);
  messages.remove(1);
  EXPECT_EQ(messages.sent(), 0u);
  EXPECT_EQ(messages.size(), 0u);
}

TEST(StoredMessage, ReferencesAPayloadWithAnOwnerAndCopiesOneWithout) {
  StoredMessage stored;
  const auto shared = SharedBytes::take(std::string(100'000, 'x'));
  Properties properties;
  properties.add_user_property("k", "v");
  stored.assign({.qos = QoS::at_least_once, .retain = true, .topic = "a/b", .properties = properties},
                shared);
  EXPECT_EQ(stored.payload().bytes.data(), shared.bytes.data());
  EXPECT_EQ(stored.header().topic, "a/b");
  EXPECT_TRUE(stored.header().retain);
  EXPECT_EQ(stored.header().properties.begin()->text, "v");
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{100'000}}) {
    std::string payload(size, 'y');
    stored.assign(message("t"), {as_bytes(payload), nullptr});
    payload.assign(size, 'z');
    EXPECT_EQ(as_text(stored.payload().bytes), std::string(size, 'y'));
    EXPECT_EQ(stored.header().topic, "t");
  }
  const std::weak_ptr<const void> watched = shared.owner;
  stored.assign(message("t"), shared);
  const auto before = watched.use_count();
  stored.clear();
  EXPECT_EQ(watched.use_count(), before - 1);
}

}  // namespace
}  // namespace mqtt
