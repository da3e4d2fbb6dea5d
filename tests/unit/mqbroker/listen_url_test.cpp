#include <gtest/gtest.h>

#include "mqbroker/listener_settings.hpp"

namespace mq {
namespace {

std::string round_trip(std::string_view url) {
  const auto place = parse_listen_url(url);
  return place ? place->url() : "error: " + place.error();
}

TEST(ListenUrl, IsReadAndWritten) {
  EXPECT_EQ(round_trip("mqtt://127.0.0.1"), "mqtt://127.0.0.1:1883");
  EXPECT_EQ(round_trip("mqtts://[::1]:0"), "mqtts://[::1]:0");
  EXPECT_EQ(round_trip("ws://127.0.0.1:8080/mqtt"), "ws://127.0.0.1:8080/mqtt");
  EXPECT_EQ(round_trip("wss://127.0.0.1:8080/"), "wss://127.0.0.1:8080");
  EXPECT_EQ(round_trip("unix:///run/mq.sock"), "unix:///run/mq.sock");
}

TEST(ListenUrl, IsAPlaceAndNoClientsAddress) {
  EXPECT_EQ(round_trip("mqtt://u@127.0.0.1"), "error: a listener has no user name");
  EXPECT_EQ(round_trip("mqtt://127.0.0.1/t"), "error: a listener has no topic");
  EXPECT_EQ(round_trip("ws://127.0.0.1/p?q"), "error: a listener's path has no query");
  EXPECT_EQ(round_trip("mqtt://host.example"), "error: 'host.example' is not an IP address or localhost");
  EXPECT_EQ(round_trip("mqtt://0177.1"), "error: '0177.1' is not an IP address or localhost");
}

TEST(ListenUrl, KnowsWhatOnlyThisMachineReaches) {
  for (const char* url : {"mqtt://127.0.0.1", "mqtt://127.255.255.254", "mqtt://[::1]", "mqtt://localhost",
                          "unix:///s", "wss://127.0.0.1/p"})
    EXPECT_TRUE(parse_listen_url(url)->is_local()) << url;
  for (const char* url : {"mqtt://0.0.0.0", "mqtt://[::]", "mqtt://128.0.0.1", "mqtt://10.0.0.1",
                          "mqtt://[fe80::1]", "mqtt://[::ffff:10.0.0.1]"})
    EXPECT_FALSE(parse_listen_url(url)->is_local()) << url;
}

}  // namespace
}  // namespace mq
