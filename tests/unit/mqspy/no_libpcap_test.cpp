// live_capture_none.cpp, which a build with libpcap leaves out.

#include <gtest/gtest.h>

#include <cerrno>

#include "mqspy/live_capture.hpp"

namespace mq::spy {
namespace {

TEST(WithoutLibpcap, TheWayThatIsLeftIsSaidInOneLine) {
  const auto all = LiveCapture::open("eth0", "");
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, EINVAL);
  EXPECT_EQ(all.error().context,
            "this mqspy was built without libpcap: tcpdump -i eth0 -U -w - | mqspy read -");
  const auto some = LiveCapture::open("lo", "tcp port 1883");
  ASSERT_FALSE(some);
  EXPECT_TRUE(some.error().context.ends_with("tcpdump -i lo -U -w - tcp port 1883 | mqspy read -"));
}

}  // namespace
}  // namespace mq::spy
