#include "mqreq/replies.hpp"

#include <gtest/gtest.h>

namespace mq {
namespace {

using Verdict = ReplyVerdict;

const std::string correlation{"\x00\xff id", 5};

/// A message on "r" with these Correlation Data; none without.
class Message {
 public:
  explicit Message(std::optional<std::string_view> data) {
    if (data) properties_.add(mqtt::PropertyId::correlation_data, *data);
  }

  [[nodiscard]] mqtt::PublishView view() const { return {.topic = "r", .properties = properties_}; }
  [[nodiscard]] mqtt::PublishView retained() const {
    return {.retain = true, .topic = "r", .properties = properties_};
  }

 private:
  mqtt::Properties properties_;
};

Replies expecting(ReplyMark mark, std::uint64_t wanted = 1) {
  Replies replies{wanted};
  replies.expect(std::move(mark));
  return replies;
}

TEST(Replies, HaveTheCorrelationDataOfTheRequestToTheLastByte) {
  Replies replies = expecting({.topic = "r", .correlation = correlation});
  const std::string_view whole = correlation;
  for (const std::string_view other : {whole.substr(0, 4), whole.substr(1), std::string_view{}})
    EXPECT_EQ(replies.judge(Message{other}.view()), Verdict::other_correlation);
  EXPECT_EQ(replies.judge(Message{std::nullopt}.view()), Verdict::no_correlation);
  EXPECT_FALSE(replies.complete());
  EXPECT_EQ(replies.judge(Message{whole}.view()), Verdict::reply);
  EXPECT_TRUE(replies.complete());
  EXPECT_EQ(replies.left_out(), 4U);
  EXPECT_EQ(replies.uncorrelated(), 1U);
}

TEST(Replies, BeforeMqtt5AreAllThatComesOnTheTopic) {
  Replies replies = expecting({.topic = "r", .correlation = std::nullopt});
  EXPECT_EQ(replies.judge({.topic = "r/other"}), Verdict::other_topic);
  EXPECT_EQ(replies.judge({.topic = "r"}), Verdict::reply);
}

TEST(Replies, DeliveredAgainAfterALostAcknowledgementCountOnce) {
  Replies replies = expecting({.topic = "r", .correlation = std::nullopt}, 3);
  const auto reply = [](mqtt::PacketId id, std::string_view payload, bool dup) {
    mqtt::PublishView message{.qos = mqtt::QoS::at_least_once, .topic = "r"};
    message.dup = dup;
    message.packet_id = id;
    message.payload = mqtt::as_bytes(payload);
    return message;
  };
  EXPECT_EQ(replies.judge(reply(1, "a", false)), Verdict::reply);
  EXPECT_EQ(replies.judge(reply(1, "a", true)), Verdict::redelivered);
  EXPECT_EQ(replies.judge(reply(2, "a", true)), Verdict::reply) << "its first delivery never came";
  EXPECT_EQ(replies.judge(reply(1, "b", true)), Verdict::reply) << "the identifier was free again";
  EXPECT_TRUE(replies.complete());
}

TEST(Replies, AreNeverThereBeforeTheRequest) {
  Replies replies{1};
  EXPECT_EQ(replies.judge({.topic = "r"}), Verdict::too_early);
  EXPECT_EQ(replies.judge(Message{correlation}.view()), Verdict::too_early);
  EXPECT_EQ(replies.taken(), 0U);
}

TEST(Replies, Trap31_AreNeverRetained) {
  const Message message{correlation};
  Replies v5 = expecting({.topic = "r", .correlation = correlation});
  EXPECT_EQ(v5.judge(message.retained()), Verdict::retained);
  Replies older = expecting({.topic = "r", .correlation = std::nullopt});
  EXPECT_EQ(older.judge({.retain = true, .topic = "r"}), Verdict::retained);
}

TEST(Replies, MayHaveTheFlagOfLiveMessagesThatKeepTheirs) {
  Replies replies = expecting({.topic = "r", .correlation = correlation, .retained_is_live = true});
  EXPECT_EQ(replies.judge(Message{correlation}.retained()), Verdict::reply);
}

TEST(Replies, AreCounted) {
  Replies replies = expecting({.topic = "r", .correlation = std::nullopt}, 3);
  EXPECT_EQ(replies.progress(), "0 of 3 replies received");
  (void)replies.judge({.topic = "r"});
  (void)replies.judge({.topic = "x"});
  EXPECT_EQ(replies.progress(), "1 of 3 replies received, 1 other message left out");
  (void)replies.judge({.topic = "r"});
  (void)replies.judge({.topic = "x"});
  EXPECT_EQ(replies.progress(), "2 of 3 replies received, 2 other messages left out");
  EXPECT_FALSE(replies.complete());
}

TEST(Replies, EachReasonToLeaveOneOutHasWords) {
  for (const Verdict verdict : {Verdict::too_early, Verdict::other_topic, Verdict::retained,
                                Verdict::no_correlation, Verdict::other_correlation})
    EXPECT_FALSE(to_string(verdict).empty());
}

}  // namespace
}  // namespace mq
