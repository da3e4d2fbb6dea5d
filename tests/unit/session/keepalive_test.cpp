#include <gtest/gtest.h>

#include <mqtt/session/keepalive.hpp>

namespace mqtt {
namespace {

using std::chrono::seconds;

TimePoint at(int s) { return TimePoint{seconds{s}}; }

TEST(ClientKeepAlive, WhileNothingIsReadPingsGoOnAndNoAnswerIsLate) {
  ClientKeepAlive keep_alive{seconds{10}};
  keep_alive.start(at(0), 10);
  keep_alive.pause(at(1));
  EXPECT_EQ(keep_alive.next_deadline(), at(10));
  keep_alive.sent(at(10));
  keep_alive.ping_sent(at(10), 0, 2);
  EXPECT_FALSE(keep_alive.timed_out(at(100))) << "the answer may lie unread";
  EXPECT_EQ(keep_alive.next_deadline(), at(19)) << "the server still wants to hear of us";
  keep_alive.resume(at(100));
  EXPECT_FALSE(keep_alive.timed_out(at(109)));
  EXPECT_TRUE(keep_alive.timed_out(at(110)));
}

TEST(ClientKeepAlive, AnUploadInFrontOfPingreqIsNoSilence) {
  ClientKeepAlive keep_alive{seconds{10}};
  keep_alive.start(at(0), 10);
  keep_alive.written(at(9), 1'000);
  keep_alive.ping_sent(at(9), 5'000, 6'002);
  keep_alive.written(at(18), 3'000);
  EXPECT_FALSE(keep_alive.timed_out(at(19)));
  keep_alive.written(at(27), 6'002);
  EXPECT_FALSE(keep_alive.timed_out(at(36))) << "PINGREQ has only just left";
  keep_alive.written(at(36), 9'000);
  EXPECT_TRUE(keep_alive.timed_out(at(37))) << "what leaves behind it says nothing of the server";
}

TEST(ClientKeepAlive, AStuckUploadTimesOut) {
  ClientKeepAlive keep_alive{seconds{10}};
  keep_alive.start(at(0), 10);
  keep_alive.written(at(9), 1'000);
  keep_alive.ping_sent(at(9), 5'000, 6'002);
  keep_alive.written(at(19), 1'000);
  EXPECT_TRUE(keep_alive.timed_out(at(19)));
}

TEST(ClientKeepAlive, StoppedHasNoDeadline) {
  ClientKeepAlive keep_alive{seconds{10}};
  keep_alive.start(at(0), 10);
  keep_alive.ping_sent(at(1), 0, 2);
  EXPECT_TRUE(keep_alive.next_deadline());
  keep_alive.stop();
  EXPECT_FALSE(keep_alive.next_deadline());
  EXPECT_EQ(keep_alive.pings_outstanding(), 0u);
}

}  // namespace
}  // namespace mqtt
