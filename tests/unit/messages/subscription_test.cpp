#include "messages/subscription.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mq {
namespace {

using mqtt::QoS;
using mqtt::RetainHandling;
using ::testing::HasSubstr;

constexpr mqtt::SubscriptionOptions at_qos_1{.qos = QoS::at_least_once};

TEST(ParseSubscription, TakesEveryOption) {
  const auto all = parse_subscription("qos=2,no-local,rap,rh=2,id=4:a/#", {});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->filter, "a/#");
  EXPECT_EQ(all->id, 4U);
  EXPECT_EQ(all->options,
            (mqtt::SubscriptionOptions{QoS::exactly_once, true, true, RetainHandling::do_not_send}));
}

TEST(ParseSubscription, LeavesTheRestAsItIsByDefault) {
  const auto plain = parse_subscription(":a:b,c=d", at_qos_1);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->filter, "a:b,c=d") << "verbatim behind the first colon";
  EXPECT_EQ(plain->options, at_qos_1);
  EXPECT_FALSE(plain->needs_v5());
  EXPECT_TRUE(parse_subscription("rh=1:a", {})->needs_v5());
  EXPECT_TRUE(parse_subscription("id=1:a", {})->needs_v5());
}

TEST(ParseSubscription, SaysWhatIsWrong) {
  for (const auto& [text, word] : {std::pair{"a/b", "colon"},
                                   {"qos=3:a", "'3'"},
                                   {"qos=:a", "''"},
                                   {"rh=x:a", "'x'"},
                                   {"id=0:a", "'0'"},
                                   {"id=268435456:a", "268435455"},
                                   {"fast:a", "'fast'"},
                                   {"qos=1 :a", "'1 '"}}) {
    const auto result = parse_subscription(text, {});
    ASSERT_FALSE(result) << text;
    EXPECT_THAT(result.error(), HasSubstr(word)) << text;
  }
}

TEST(FilterFault, NamesTheFilterAndTheClause) {
  EXPECT_EQ(filter_fault("subscribe to", "a/#"), "");
  EXPECT_THAT(filter_fault("subscribe to", "a#"), HasSubstr("cannot subscribe to 'a#': "));
}

}  // namespace
}  // namespace mq
