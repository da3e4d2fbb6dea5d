#include "mqreq/response_topic.hpp"

#include <gtest/gtest.h>

namespace mq {
namespace {

TEST(ResponseTopic, IsBelowTheResponseInformation) {
  EXPECT_EQ(make_response_topic("r/client", "id", "\x01\xfe"), "r/client/01fe");
  EXPECT_EQ(make_response_topic("r/", "id", "\x01\xfe"), "r/01fe") << "no empty level";
}

TEST(ResponseTopic, IsBelowTheClientIdWithoutResponseInformation) {
  EXPECT_EQ(make_response_topic("", "mqreq-17", "\x01\xfe"), "mq/reply/mqreq-17/01fe");
}

TEST(ResponseTopic, TakesNoResponseInformationThatIsNoTopic) {
  for (const char* information : {"r/+", "#", "$share/g/r"})
    EXPECT_EQ(make_response_topic(information, "id", "\x01"), "mq/reply/id/01") << information;
}

TEST(ResponseTopic, IsATopicWhateverTheClientId) {
  EXPECT_EQ(make_response_topic("", "a+b/#", "\x01"), "mq/reply/a_b/_/01");
  EXPECT_EQ(make_response_topic("", "", "\x01"), "mq/reply/01");
  EXPECT_EQ(make_response_topic("", std::string(65'000, 'x'), "\x01"), "mq/reply/01");
}

}  // namespace
}  // namespace mq
