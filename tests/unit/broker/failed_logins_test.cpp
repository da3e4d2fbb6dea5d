#include <mqtt/broker/failed_logins.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace mqtt::broker {
namespace {

using std::chrono::seconds;

struct FailedLoginsTest : testing::Test {
  /// Fails so often, without waiting.
  void fail(std::uint32_t times, std::string_view address = "192.0.2.1:5000") {
    for (std::uint32_t i = 0; i < times; ++i) logins.note(now, address);
  }
  [[nodiscard]] bool waits(std::string_view address = "192.0.2.1:5001") const {
    return logins.must_wait(now, address);
  }

  FailedLogins logins{seconds{30}};
  TimePoint now{seconds{1000}};
};

TEST_F(FailedLoginsTest, TheFirstOnesCostNothingThenTheWaitDoublesUpToItsMaximum) {
  fail(FailedLogins::free_failures - 1);
  EXPECT_FALSE(waits());
  for (const int wait : {1, 2, 4, 8, 16, 30, 30}) {
    fail(1);
    now += seconds{wait} - std::chrono::nanoseconds{1};
    EXPECT_TRUE(waits()) << wait;
    now += std::chrono::nanoseconds{1};
    EXPECT_FALSE(waits()) << wait;
  }
  fail(100'000);
  now += seconds{30};
  EXPECT_FALSE(waits());
}

TEST_F(FailedLoginsTest, AreForgottenAfterAWhile) {
  fail(FailedLogins::free_failures + 3);
  now += FailedLogins::remembered;
  fail(FailedLogins::free_failures - 1);
  EXPECT_FALSE(waits());
}

TEST_F(FailedLoginsTest, OtherAddressesDoNotWait) {
  fail(20);
  EXPECT_TRUE(waits("192.0.2.1:9"));
  for (const char* other : {"192.0.2.2:5000", "[2001:db8::1]:5000", "/run/mqtt.sock", "unix", ""})
    EXPECT_FALSE(waits(other)) << other;
}

TEST_F(FailedLoginsTest, OfIpv6TheFirst64BitsAreOneAddress) {
  fail(20, "[2001:db8:0:1::1]:5000");
  EXPECT_TRUE(waits("[2001:db8:0:1:ffff::7]:1"));
  EXPECT_FALSE(waits("[2001:db8:0:2::1]:5000"));
  EXPECT_EQ(network_of("[fe80::1%eth0]:1"), "fe80::");
  EXPECT_EQ(network_of("[::1]:1"), "::");
  EXPECT_EQ(network_of("[::ffff:192.0.2.1]:1"), "::ffff:192.0.2.1");
  for (const char* none : {"", ":", "[]:1", "[::1:1", "host:1", "::1", "[x]:1"})
    EXPECT_EQ(network_of(none), "") << none;
}

TEST_F(FailedLoginsTest, WhatHasNoAddressIsNotKept) {
  fail(20, "unix");
  EXPECT_EQ(logins.size(), 0u);
}

TEST_F(FailedLoginsTest, TheTableIsBoundedAndForgetsTheOldestFirst) {
  fail(20, "192.0.2.1:1");
  for (std::size_t i = 0; i + 1 < FailedLogins::places_max + 10; ++i) {
    now += std::chrono::microseconds{1};
    logins.note(now, fmt::format("10.{}.{}.1:1", i / 250, i % 250));
    if (i == 10) fail(20, "192.0.2.2:1");
  }
  EXPECT_EQ(logins.size(), FailedLogins::places_max);
  EXPECT_FALSE(waits("192.0.2.1:1"));
  EXPECT_TRUE(waits("192.0.2.2:1"));
}

TEST_F(FailedLoginsTest, WithoutAWaitNothingIsKept) {
  FailedLogins off{Duration::zero()};
  for (int i = 0; i < 100; ++i) off.note(now, "192.0.2.1:1");
  EXPECT_FALSE(off.must_wait(now, "192.0.2.1:1"));
  EXPECT_EQ(off.size(), 0u);
}

}  // namespace
}  // namespace mqtt::broker
