#include "mqspy/fault_rule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mq::spy {
namespace {

using Kind = FaultAction::Kind;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

FaultRule rule(std::string_view text) {
  auto parsed = FaultRule::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << to_string(parsed.error());
  return parsed ? std::move(*parsed) : FaultRule{};
}

std::string fault(std::string_view text) {
  const auto parsed = FaultRule::parse(text);
  return parsed ? "" : to_string(parsed.error());
}

TEST(FaultRule, TriggersAndText) {
  const FaultRule made = rule("type==PUBREC [from=2 count=4 every=3 p=0.5]  do drop ");
  EXPECT_EQ(made.trigger.from, 2u);
  EXPECT_EQ(made.trigger.count, 4u);
  EXPECT_EQ(made.trigger.every, 3u);
  EXPECT_EQ(made.trigger.p, 0.5);
  EXPECT_EQ(made.action.kind, Kind::drop);
  EXPECT_EQ(made.action.text, "drop");
  EXPECT_EQ(rule("qos>0 [ nth=3 ] do dup").trigger.nth, 3u);
}

TEST(FaultRule, EachAction) {
  const FaultAction delay = rule("qos>0 do delay 200ms~50").action;
  EXPECT_EQ(delay.duration, milliseconds{200});
  EXPECT_EQ(delay.jitter, milliseconds{50});
  EXPECT_EQ(delay.text, "delay 200ms~50");
  EXPECT_EQ(rule("qos>0 do delay 1s~100ms").action.jitter, milliseconds{100});
  EXPECT_EQ(rule("qos>0 do reorder 2").action.count, 2u);
  EXPECT_EQ(rule("qos>0 do corrupt 4:ff00").action.bytes, (std::string{"\xff\0", 2}));
  EXPECT_EQ(rule("qos>0 do corrupt 0x10:ff").action.count, 16u);
  EXPECT_EQ(rule("qos>0 do truncate 10").action.count, 10u);
  EXPECT_EQ(rule("qos>0 do split 2").action.count, 2u);
  EXPECT_EQ(rule("qos>0 do throttle 2KB/s").action.rate, 2000u);
  EXPECT_EQ(rule("qos>0 do hold 5s").action.duration, milliseconds{5000});
  EXPECT_EQ(rule("qos>0 do set retain=1").action.change.number, 1u);
  EXPECT_EQ(rule("qos>0 do set topic=\"a b\"").action.change.text, "a b");
  EXPECT_EQ(rule("qos>0 do reply rc=0x87").action.reason, mqtt::ReasonCode::not_authorized);
  EXPECT_EQ(rule("qos>0 do close").action.how, CloseKind::fin);
  EXPECT_EQ(rule("qos>0 do close rst").action.how, CloseKind::rst);
  EXPECT_EQ(rule("qos>0 do disconnect 0x8b").action.reason, mqtt::ReasonCode::server_shutting_down);
}

TEST(FaultRule, SaysWhereItIsWrong) {
  EXPECT_THAT(fault("qoz>0 do drop"), HasSubstr("column 1:"));
  EXPECT_THAT(fault("qos>0"), HasSubstr("column 6: \"do\" and an action are missing"));
  EXPECT_THAT(fault("qos>0 [nth=0] do drop"), HasSubstr("column 8:"));
  EXPECT_THAT(fault("qos>0 [often] do drop"), HasSubstr("column 8: 'often' is none of"));
  EXPECT_THAT(fault("qos>0 [p=2] do drop"), HasSubstr("from 0 to 1"));
  EXPECT_THAT(fault("qos>0 [nth=1 do drop"), HasSubstr("is none of nth="));
  EXPECT_THAT(fault("qos>0 [nth=1"), HasSubstr("\"]\" is missing"));
  EXPECT_THAT(fault("qos>0 do explode"), HasSubstr("column 10: 'explode' is none of delay, drop"));
  EXPECT_THAT(fault("qos>0 do"), HasSubstr("column 9: nothing is none of"));
  EXPECT_THAT(fault("qos>0 do drop 3"), HasSubstr("column 15: drop wants nothing"));
  EXPECT_THAT(fault("qos>0 do delay"), HasSubstr("delay wants a duration"));
  EXPECT_THAT(fault("qos>0 do delay 1s~2s"), HasSubstr("delay wants a duration"));
  EXPECT_THAT(fault("qos>0 do hold 3 years"), HasSubstr("hold wants"));
  EXPECT_THAT(fault("qos>0 do reorder 0"), HasSubstr("reorder wants"));
  EXPECT_THAT(fault("qos>0 do corrupt ff"), HasSubstr("corrupt wants"));
  EXPECT_THAT(fault("qos>0 do corrupt 1:f"), HasSubstr("corrupt wants"));
  EXPECT_THAT(fault("qos>0 do split 0"), HasSubstr("split wants"));
  EXPECT_THAT(fault("qos>0 do throttle fast"), HasSubstr("throttle wants"));
  EXPECT_THAT(fault("qos>0 do set n=3"), HasSubstr("set wants a field that can be set"));
  EXPECT_THAT(fault("qos>0 do set qos=4"), HasSubstr("set wants a number up to 3"));
  EXPECT_THAT(fault("qos>0 do reply 0x87"), HasSubstr("reply wants a reason code: rc="));
  EXPECT_THAT(fault("qos>0 do close softly"), HasSubstr("close wants fin or rst"));
  EXPECT_THAT(fault("qos>0 do disconnect 0x100"), HasSubstr("disconnect wants"));
}

}  // namespace
}  // namespace mq::spy
