#include <mqtt/bridge/echoes.hpp>

#include <gtest/gtest.h>

namespace mqtt::bridge {
namespace {

constexpr TimePoint start{};

class EchoesTest : public ::testing::Test {
 protected:
  Echoes echoes_{SipKey{7}};
};

TEST_F(EchoesTest, AMessageComesBackAsOftenAsItWasSent) {
  echoes_.note(start, "a", as_bytes("on"));
  echoes_.note(start, "a", as_bytes("on"));
  EXPECT_TRUE(echoes_.take(start, "a", as_bytes("on")));
  EXPECT_TRUE(echoes_.take(start, "a", as_bytes("on")));
  EXPECT_FALSE(echoes_.take(start, "a", as_bytes("on")));
}

TEST_F(EchoesTest, WhatOthersSayIsNone) {
  echoes_.note(start, "a", as_bytes("on"));
  EXPECT_FALSE(echoes_.take(start, "a", as_bytes("off")));
  EXPECT_FALSE(echoes_.take(start, "b", as_bytes("on")));
}

TEST_F(EchoesTest, WhatDoesNotComeBackIsForgotten) {
  echoes_.note(start, "a", as_bytes("on"));
  echoes_.note(start + Echoes::kept / 2, "a", as_bytes("on"));
  EXPECT_TRUE(echoes_.take(start, "a", as_bytes("on")));
  EXPECT_TRUE(echoes_.take(start + Echoes::kept, "a", as_bytes("on")));
  echoes_.note(start, "a", as_bytes("on"));
  EXPECT_FALSE(echoes_.take(start + 2 * Echoes::kept, "a", as_bytes("on")));
  EXPECT_EQ(echoes_.size(), 0u);
}

TEST_F(EchoesTest, AreBounded) {
  for (std::size_t i = 0; i < Echoes::messages_max + 10; ++i)
    echoes_.note(start, "a", as_bytes(std::to_string(i)));
  EXPECT_LE(echoes_.size(), Echoes::messages_max);
  EXPECT_FALSE(echoes_.take(start, "a", as_bytes("0")));
}

}  // namespace
}  // namespace mqtt::bridge
