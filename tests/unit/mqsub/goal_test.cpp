#include "mqsub/goal.hpp"

#include <gtest/gtest.h>

namespace mq {
namespace {

using Cause = Goal::Cause;

void show(Goal& goal, std::string_view payload) {
  goal.on_shown({.topic = "t", .payload = mqtt::as_bytes(payload)});
}

TEST(Goal, Trap10_WithoutOneAnyEndIsGood) {
  const EndingConfig config;
  Goal goal{config};
  EXPECT_FALSE(goal.reached());
  EXPECT_EQ(goal.verdict(Cause::timeout), ExitCode::ok);
  EXPECT_EQ(goal.verdict(Cause::done), ExitCode::ok);
}

TEST(Goal, Trap10_FailOnTimeoutIsForTimeoutsOnly) {
  EndingConfig config;
  config.fail_on_timeout = true;
  Goal goal{config};
  EXPECT_EQ(goal.verdict(Cause::timeout), ExitCode::deadline);
  EXPECT_EQ(goal.verdict(Cause::done), ExitCode::ok);
}

TEST(Goal, ACountIsReachedOrMissed) {
  EndingConfig config;
  config.count = 2;
  Goal goal{config};
  show(goal, "");
  EXPECT_FALSE(goal.reached());
  EXPECT_EQ(goal.verdict(Cause::done), ExitCode::deadline) << "a snapshot that brought too few";
  EXPECT_EQ(goal.progress(), "1 of 2 messages received");
  show(goal, "");
  EXPECT_TRUE(goal.reached());
  EXPECT_EQ(goal.verdict(Cause::timeout), ExitCode::ok);
}

TEST(Goal, AnExpectationOutweighsTheCount) {
  EndingConfig config;
  config.count = 2;
  config.expectation = std::move(*Expectation::parse("payload=x"));
  Goal goal{config};
  show(goal, "a");
  EXPECT_EQ(goal.verdict(Cause::timeout), ExitCode::expectation);
  show(goal, "b");
  EXPECT_TRUE(goal.reached()) << "no more than the count";
  EXPECT_EQ(goal.verdict(Cause::done), ExitCode::expectation);
  show(goal, "x");
  EXPECT_EQ(goal.verdict(Cause::done), ExitCode::ok);
}

}  // namespace
}  // namespace mq
