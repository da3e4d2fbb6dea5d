#include "mqbench/source_range.hpp"

#include <gtest/gtest.h>

namespace mq::bench {
namespace {

using Texts = std::vector<std::string>;

TEST(SourceRange, BecomesItsAddressesInOrderAndOthersStay) {
  EXPECT_EQ(expand_sources({"::1", "127.0.0.254-127.0.1.1", "10.0.0.1"}),
            (Texts{"::1", "127.0.0.254", "127.0.0.255", "127.0.1.0", "127.0.1.1", "10.0.0.1"}));
  EXPECT_EQ(expand_sources({"127.0.0.2-127.0.0.2"}), Texts{"127.0.0.2"});
  EXPECT_EQ(expand_sources({"255.255.255.254-255.255.255.255"}),
            (Texts{"255.255.255.254", "255.255.255.255"}));
}

TEST(SourceRange, IsTwoIpv4AddressesNotTooFarApart) {
  for (const char* good : {"127.0.0.1", "::1", "127.0.0.2-127.0.0.20", "10.0.0.0-10.0.255.255"})
    EXPECT_TRUE(source_addresses(good)) << good;
  for (const char* bad : {"", "-", "127.0.0.2-", "-127.0.0.2", "127.0.0.3-127.0.0.2", "::1-::2",
                          "127.0.0.2-20", "127.0.0.2-127.0.0.3-127.0.0.4", "10.0.0.0-10.1.0.0", "host"})
    EXPECT_FALSE(source_addresses(bad)) << bad;
}

}  // namespace
}  // namespace mq::bench
