#include <mqtt/client/endpoint.hpp>

#include <gtest/gtest.h>

namespace mqtt::test {
namespace {

Endpoint parsed(std::string_view url) {
  const auto endpoint = parse_endpoint(url);
  EXPECT_TRUE(endpoint.has_value()) << url << ": " << endpoint.error().context;
  return endpoint.value_or(Endpoint{});
}

std::string error_of(std::string_view url) {
  const auto endpoint = parse_endpoint(url);
  EXPECT_FALSE(endpoint.has_value()) << url;
  return endpoint ? std::string{} : endpoint.error().context;
}

TEST(Endpoint, DefaultPortsOfEachScheme) {
  EXPECT_EQ(parsed("mqtt://h").port, 1883);
  EXPECT_EQ(parsed("mqtts://h").port, 8883);
  EXPECT_EQ(parsed("ws://h").port, 80);
  EXPECT_EQ(parsed("wss://h").port, 443);
  EXPECT_EQ(parsed("MQTTS://h").transport, Transport::tls);
  EXPECT_EQ(parsed("mqtt://h:").port, 1883);
  EXPECT_EQ(parsed("mqtt://h:1/").port, 1);
}

TEST(Endpoint, PublicUrlsComeBackWithoutSecrets) {
  for (const std::string_view url : {"mqtt://h:1883", "mqtts://[::1]:8883", "mqtt://[fe80::1%25eth0]:1",
                                     "ws://h:80/", "wss://h:443/a%20b", "unix:///tmp/a%25b c"})
    EXPECT_EQ(public_url(parsed(url)), url);
  EXPECT_EQ(public_url(parsed("mqtt://user:secret@h/topic")), "mqtt://h:1883");
  EXPECT_EQ(public_url(parsed("wss://user@h/mqtt?signature=secret")), "wss://h:443/mqtt");
}

TEST(Endpoint, Ipv6LiteralsStandInBrackets) {
  EXPECT_EQ(parsed("mqtt://[::1]").host, "::1");
  EXPECT_EQ(parsed("mqtt://[2001:db8::7]:1884/t").port, 1884);
  EXPECT_EQ(parsed("mqtt://[::ffff:127.0.0.1]").host, "::ffff:127.0.0.1");
  EXPECT_EQ(parsed("mqtt://[fe80::1%25eth0]").host, "fe80::1%eth0");
  EXPECT_NE(error_of("mqtt://::1"), "");
  EXPECT_NE(error_of("mqtt://[::1"), "");
  EXPECT_NE(error_of("mqtt://[name]"), "");
  EXPECT_NE(error_of("mqtt://[::1]x"), "");
}

TEST(Endpoint, UserInformationIsPercentDecodedAndEndsAtTheLastAt) {
  const Endpoint e = parsed("mqtt://us%40er:p%3Aa%2Fss@host");
  EXPECT_EQ(e.user_name, "us@er");
  EXPECT_EQ(e.password, "p:a/ss");
  EXPECT_EQ(parsed("mqtt://a:b@c@host").password, "b@c");
  EXPECT_EQ(parsed("mqtt://user@host").user_name, "user");
  EXPECT_FALSE(parsed("mqtt://user@host").password);
  EXPECT_EQ(parsed("mqtt://:secret@host").password, "secret");
  EXPECT_EQ(parsed("mqtt://user:@host").password, "");
  EXPECT_FALSE(parsed("mqtt://@host").user_name);
}

TEST(Endpoint, TopicIsOptionalAndMayHoldWhatTopicsHold) {
  EXPECT_EQ(parsed("mqtt://h").topic, "");
  EXPECT_EQ(parsed("mqtt://h/").topic, "");
  EXPECT_EQ(parsed("mqtt://h/a/b").topic, "a/b");
  EXPECT_EQ(parsed("mqtt://h//a").topic, "/a");
  EXPECT_EQ(parsed("mqtt://h/a/+/#").topic, "a/+/#");
  EXPECT_EQ(parsed("mqtt://h/a%20b?c").topic, "a b?c");
  EXPECT_EQ(parsed("mqtts://u:p@h:1/a@b:c").topic, "a@b:c");
}

TEST(Endpoint, WebSocketKeepsPathAndQueryAsWritten) {
  EXPECT_EQ(parsed("ws://h").path, "/");
  EXPECT_EQ(parsed("wss://h/mqtt").path, "/mqtt");
  EXPECT_EQ(parsed("wss://h/mqtt?X-Amz-Signature=a%2Fb&x=1").path, "/mqtt?X-Amz-Signature=a%2Fb&x=1");
  EXPECT_EQ(parsed("ws://h?x=1").path, "/?x=1");
  EXPECT_EQ(parsed("ws://h/p#fragment").path, "/p");
  EXPECT_NE(error_of("ws://h/a b"), "");
  EXPECT_NE(error_of("ws://h/a\r\nX: y"), "");
}

TEST(Endpoint, UnixSocketsAreAbsolutePaths) {
  EXPECT_EQ(parsed("unix:///run/mq.sock").path, "/run/mq.sock");
  EXPECT_EQ(parsed("unix:///a%20b").path, "/a b");
  EXPECT_NE(error_of("unix://relative"), "");
  EXPECT_NE(error_of("unix:///a%00b"), "");
}

TEST(Endpoint, PortZeroIsForPlacesToListen) {
  const auto endpoint = parse_endpoint("ws://127.0.0.1:0/mqtt", PortZero::allowed);
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->port, 0);
  EXPECT_EQ(parse_endpoint("mqtt://h:65536", PortZero::allowed).error().context,
            "'65536' is not a port from 0 to 65535");
}

TEST(Endpoint, SaysWhatIsWrongWithoutThePassword) {
  EXPECT_EQ(error_of("host:1883"), "a URL starts with mqtt://, mqtts://, ws://, wss:// or unix://");
  EXPECT_EQ(error_of("http://h"), "unknown scheme 'http' (mqtt, mqtts, ws, wss or unix)");
  EXPECT_EQ(error_of("mqtt://"), "there is no host");
  EXPECT_EQ(error_of("mqtt://h:0"), "'0' is not a port from 1 to 65535");
  EXPECT_EQ(error_of("mqtt://h:65536"), "'65536' is not a port from 1 to 65535");
  EXPECT_EQ(error_of("mqtt://h:1x"), "'1x' is not a port from 1 to 65535");
  EXPECT_EQ(error_of("mqtt://u:se%zzcret@h").find("cret"), std::string::npos);
  EXPECT_NE(error_of("mqtt://h%2"), "");
  EXPECT_EQ(error_of("mqtt://a%2Fb"), "the host holds a delimiter");
  EXPECT_NE(error_of("mqtt://h\x01"), "");
}

}  // namespace
}  // namespace mqtt::test
