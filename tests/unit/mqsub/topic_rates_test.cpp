#include "mqsub/topic_rates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mq {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

std::vector<std::string> filters(const std::vector<TopicRates::Row>& rows) {
  std::vector<std::string> result;
  for (const TopicRates::Row& row : rows) result.push_back(row.filter);
  return result;
}

TEST(TopicRates, GroupsByTheFirstLevelsTheBusiestFirst) {
  TopicRates rates{2};
  for (const char* topic : {"a/b/1", "a/b/2", "a/b", "a", "x//y", "/"}) rates.add(topic, 10);
  rates.add("x//z", 10);
  rates.add("x//z", 10);
  EXPECT_THAT(filters(rates.take(1s)), ElementsAre("#", "x//#", "a/b/#", "/", "a", "a/b"));
}

TEST(TopicRates, CountsAllAndTheLastInterval) {
  TopicRates rates{1};
  rates.add("a", 100);
  rates.add("a", 100);
  (void)rates.take(1s);
  rates.add("a", 50);
  const auto rows = rates.take(2s);
  ASSERT_EQ(rows.size(), 2U);
  for (const TopicRates::Row& row : rows) {
    EXPECT_EQ(row.messages, 3U);
    EXPECT_DOUBLE_EQ(row.per_second, 0.5);
    EXPECT_DOUBLE_EQ(row.bytes_per_second, 25);
  }
}

TEST(TopicRates, ItsMemoryIsBounded) {
  TopicRates rates{1};
  for (std::size_t i = 0; i < 2 * TopicRates::groups_max; ++i) rates.add(std::to_string(i), 1);
  const auto rows = rates.take(1s);
  EXPECT_EQ(rows.size(), TopicRates::groups_max + 1);
  EXPECT_EQ(rows[0].messages, 2 * TopicRates::groups_max);
}

}  // namespace
}  // namespace mq
