#include "mqbench/live_view.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using namespace mq::bench;

TEST(Sparkline, ReachesFromZeroToTheHighestOfThoseShown) {
  EXPECT_EQ(sparkline({0, 50, 100}, 10), "▁▅█");
  EXPECT_EQ(sparkline({1000, 0, 50, 100}, 3), "▁▅█");
  EXPECT_EQ(sparkline({0, 0}, 10), "▁▁");
  EXPECT_EQ(sparkline({1, 2}, 0), "");
}

TEST(RateLog, DividesByTheTimeBetweenTwoLooks) {
  RateLog log;
  const mqtt::TimePoint start{5s};
  EXPECT_EQ(log.add({.sent = 7, .received = 3}, start).sent, 0);
  const LiveRates rates = log.add({.sent = 107, .received = 43}, start + 500ms);
  EXPECT_EQ(rates.sent, 200);
  EXPECT_EQ(rates.received, 80);
  EXPECT_EQ(log.received(), std::deque<double>{80});
}

TEST(LiveLines, SayWhatIsKnown) {
  LiveState state{.scenario = "pairs", .clients = 20, .ready = 4};
  EXPECT_EQ(live_lines(state, {}, {}, Colors::none, {})[1], "ready                  4  of 20");
  state.phase = Phase::running;
  state.elapsed = 61s;
  state.left = 3600s;
  state.errors["bad\x1b[2J"] = 2;
  const auto lines = live_lines(state, {}, {}, Colors::none, {});
  EXPECT_EQ(lines[0], "pairs: running  01:01  1:00:00 left");
  EXPECT_EQ(lines[6], "                       2  bad\\e[2J");
  EXPECT_EQ(live_lines(state, {}, {}, Colors::ansi, {})[6], "\x1b[31m" + lines[6] + "\x1b[0m");
}

}  // namespace
