#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mqtt/client/server_reference.hpp>

namespace mqtt {
namespace {

std::vector<std::string> named(std::string_view text) {
  std::vector<std::string> all;
  for (const auto& [host, port] : parse_server_reference(text, 1))
    all.push_back(net::host_and_port(host, port));
  return all;
}

TEST(ServerReference, ReadsTheFormsOfTheSpecification) {
  using testing::ElementsAre;
  EXPECT_THAT(named("myserver.xyz.org"), ElementsAre("myserver.xyz.org:1"));
  EXPECT_THAT(named("myserver.xyz.org:8883"), ElementsAre("myserver.xyz.org:8883"));
  EXPECT_THAT(named("10.10.151.22:8883 [fe80::9610:3eff:fe1c]:1883"),
              ElementsAre("10.10.151.22:8883", "[fe80::9610:3eff:fe1c]:1883"));
}

TEST(ServerReference, LeavesOutWhatItCannotUse) {
  for (const char* text : {"", " ", "a:b", "mqtt://a:1", "user@host", "a:0", "::1", "a/b"})
    EXPECT_TRUE(named(text).empty()) << text;
  EXPECT_THAT(named("  a:0 b "), testing::ElementsAre("b:1"));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "h ";
  EXPECT_EQ(named(many).size(), server_references_max);
}

}  // namespace
}  // namespace mqtt
