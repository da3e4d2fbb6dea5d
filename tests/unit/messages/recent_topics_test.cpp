#include "messages/recent_topics.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mq {
namespace {

TEST(RecentTopics, RemembersTheLastOnesAndNoMoreThanTwice) {
  constexpr std::size_t most = 100;
  RecentTopics<int> topics{mqtt::SipKey{1}, most};
  for (int i = 0; i < 1000; ++i) topics.put(std::to_string(i), i);
  int known = 0;
  for (int i = 0; i < 1000; ++i) known += topics.find(std::to_string(i)) != nullptr;
  EXPECT_GE(known, 100);
  EXPECT_LE(known, 200);
  for (int i = 900; i < 1000; ++i) {
    ASSERT_NE(topics.find(std::to_string(i)), nullptr) << i;
    EXPECT_EQ(*topics.find(std::to_string(i)), i);
  }
}

TEST(RecentTopics, ATopicThatIsPutAgainStaysAndHasItsLastValue) {
  RecentTopics<int> topics{mqtt::SipKey{1}, 10};
  for (int i = 0; i < 1000; ++i) {
    topics.put("kept", i);
    topics.put(std::to_string(i), i);
    ASSERT_EQ(*topics.find("kept"), i);
  }
}

}  // namespace
}  // namespace mq
