#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include <mqtt/net/proxy_header.hpp>
#include <unit/net/proxy_bytes.hpp>

namespace mqtt::net::test {
namespace {

using testing::HasSubstr;

/// What became of `received`: "SIZE SOURCE", "more", or the error.
std::string outcome(std::string_view received) {
  const auto header = parse_proxy_header(as_bytes(received));
  if (!header) return header.error().context;
  if (!*header) return "more";
  return std::to_string((*header)->size) + " " +
         ((*header)->source ? (*header)->source->text() : "unchanged");
}

bool is_refused(std::string_view received) {
  const auto header = parse_proxy_header(as_bytes(received));
  return !header && header.error().domain == ErrorDomain::system && header.error().code == EPROTO;
}

TEST(ProxyHeader, Version1) {
  EXPECT_EQ(outcome("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"), "47 192.168.0.1:56324");
  EXPECT_EQ(outcome("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
            "56 255.255.255.255:65535");
  EXPECT_EQ(outcome("PROXY TCP4 1.2.3.4 5.6.7.8 0 0\r\n"), "32 1.2.3.4:0");
  EXPECT_EQ(outcome("PROXY TCP6 2001:DB8::7 ::1 7 1883\r\n"), "35 [2001:db8::7]:7");
  // How inet_ntop, and so HAProxy, writes an IPv4 peer of an IPv6 socket.
  EXPECT_EQ(outcome("PROXY TCP6 ::ffff:1.2.3.4 ::1 7 1883\r\n"), "38 [::ffff:1.2.3.4]:7");
  EXPECT_EQ(outcome("PROXY UNKNOWN\r\n"), "15 unchanged");
  EXPECT_EQ(outcome("PROXY UNKNOWN whatever \x01 it says\r\n"), "34 unchanged");
}

TEST(ProxyHeader, Version1EndsWithItsLine) {
  EXPECT_EQ(outcome("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n\x10\x0c more\r\n"), "33 1.2.3.4:9");
}

TEST(ProxyHeader, Version1OfTheLargestSizeAndOneMore) {
  const std::string head = "PROXY UNKNOWN ";
  const std::string longest = head + std::string(proxy_v1_max_bytes - head.size() - 2, 'x') + "\r\n";
  EXPECT_EQ(outcome(longest), "107 unchanged");
  const std::string longer = head + std::string(proxy_v1_max_bytes - head.size() - 1, 'x') + "\r\n";
  EXPECT_EQ(outcome(longer), "malformed PROXY protocol header: its line is too long");
  EXPECT_EQ(outcome(longer.substr(0, proxy_v1_max_bytes - 1)), "more");
}

TEST(ProxyHeader, Version1IsTakenByTheLetter) {
  for (const std::string line : {
           "TCP4 1.2.3.4 5.6.7.8 9",         // a word short
           "TCP4 1.2.3.4 5.6.7.8 9 10 11",   // a word more
           "TCP4 1.2.3.4 5.6.7.8 9 10 ",     // a space more
           "TCP4  1.2.3.4 5.6.7.8 9 10",     // two spaces
           "TCP4\t1.2.3.4 5.6.7.8 9 10",     // no space
           "tcp4 1.2.3.4 5.6.7.8 9 10",      // lower case
           "UDP4 1.2.3.4 5.6.7.8 9 10",      // not assigned
           "UNKNOWNS",                       //
           "",                               //
           "TCP4 01.2.3.4 5.6.7.8 9 10",     // leading zeros
           "TCP4 1.2.3.4 5.6.7.8 09 10",     //
           "TCP4 1.2.3.4 5.6.7.8 9 010",     //
           "TCP4 1.2.3.4 5.6.7.8 65536 10",  // too large
           "TCP4 1.2.3.4 5.6.7.8 9 65536",   //
           "TCP4 1.2.3.256 5.6.7.8 9 10",    //
           "TCP4 1.2.3.4 5.6.7.8 -9 10",     //
           "TCP4 1.2.3.4 5.6.7.8 +9 10",     //
           "TCP4 1.2.3 5.6.7.8 9 10",        //
           "TCP4 host 5.6.7.8 9 10",         //
           "TCP4 ::1 ::1 9 10",              // the other family
           "TCP4 1.2.3.4 ::1 9 10",          //
           "TCP6 1.2.3.4 5.6.7.8 9 10",      //
           "TCP6 fe80::1%lo ::1 9 10",       // a scope of somebody else's host
           "TCP6 [::1] ::1 9 10",            //
           "TCP4 1.2.3.4 5.6.7.8 9 10\n",    // a single LF
           "TCP4 1.2.3.4\r5.6.7.8 9 10",     // a single CR
       })
    EXPECT_TRUE(is_refused("PROXY " + line + "\r\n")) << line;
}

TEST(ProxyHeader, Version2) {
  EXPECT_EQ(outcome(proxy_v2(0x21, 0x11, proxy_v2_ipv4())), "28 192.0.2.7:4660");
  EXPECT_EQ(outcome(proxy_v2(0x21, 0x21, proxy_v2_ipv6())), "52 [2001:db8::7]:4660");
  EXPECT_EQ(outcome(proxy_v2(0x21, 0x11, proxy_v2_ipv4()) + "MQTT"), "28 192.0.2.7:4660");
}

TEST(ProxyHeader, Version2KeepsTheRealPeerWhereThereIsNoTcpAddress) {
  EXPECT_EQ(outcome(proxy_v2(0x20, 0x00, "")), "16 unchanged");               // LOCAL
  EXPECT_EQ(outcome(proxy_v2(0x20, 0x11, proxy_v2_ipv4())), "28 unchanged");  // LOCAL ignores the block
  EXPECT_EQ(outcome(proxy_v2(0x20, 0xFF, "xyz")), "19 unchanged");            // and the family
  EXPECT_EQ(outcome(proxy_v2(0x21, 0x00, "anything")), "24 unchanged");       // UNSPEC
  EXPECT_EQ(outcome(proxy_v2(0x21, 0x31, std::string(216, '/'))), "232 unchanged");  // AF_UNIX
  EXPECT_EQ(outcome(proxy_v2(0x21, 0x32, std::string(216, '/'))), "232 unchanged");
  EXPECT_EQ(outcome(proxy_v2(0x21, 0x12, proxy_v2_ipv4())), "28 unchanged");  // UDP
  EXPECT_EQ(outcome(proxy_v2(0x21, 0x10, proxy_v2_ipv4())), "28 unchanged");
}

TEST(ProxyHeader, Version2SkipsAdditionsUpToTheLimit) {
  const std::string room(proxy_v2_max_bytes - 16 - 12, '\x04');
  EXPECT_EQ(outcome(proxy_v2(0x21, 0x11, proxy_v2_ipv4() + room)), "2280 192.0.2.7:4660");
  // Said by the length alone: nobody waits for what will not be taken.
  EXPECT_EQ(outcome(proxy_v2(0x21, 0x11, proxy_v2_ipv4() + room + "x").substr(0, 16)),
            "malformed PROXY protocol header: too long");
}

TEST(ProxyHeader, Version2RefusesWhatIsNotAssignedOrTooShort) {
  for (const int command : {0x00, 0x01, 0x10, 0x11, 0x22, 0x2F, 0x30, 0x31, 0xFF})
    EXPECT_TRUE(is_refused(proxy_v2(command, 0x11, proxy_v2_ipv4()).substr(0, 13))) << command;
  for (const int family : {0x41, 0xF1, 0x13, 0x1F, 0x03, 0xFF})
    EXPECT_TRUE(is_refused(proxy_v2(0x21, family, std::string(216, 'x')))) << family;
  EXPECT_TRUE(is_refused(proxy_v2(0x21, 0x11, proxy_v2_ipv4().substr(1))));
  EXPECT_TRUE(is_refused(proxy_v2(0x21, 0x21, proxy_v2_ipv6().substr(1))));
  EXPECT_TRUE(is_refused(proxy_v2(0x21, 0x31, std::string(215, '/'))));
}

TEST(ProxyHeader, CutAtEveryByteItWantsMore) {
  for (const std::string& whole : proxy_headers())
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_EQ(outcome(std::string_view{whole}.substr(0, size)), "more") << whole << size;
}

TEST(ProxyHeader, OtherProtocolsAreToldByTheirFirstWrongByte) {
  EXPECT_EQ(outcome("\x10"), "no PROXY protocol header (does the proxy send one?)");
  EXPECT_TRUE(is_refused("\x16\x03\x01"));
  EXPECT_TRUE(is_refused("GET / HTTP/1.1\r\n"));
  EXPECT_TRUE(is_refused("PROXY\r\n"));
  EXPECT_TRUE(is_refused("PUT"));
  EXPECT_TRUE(is_refused("\r\n\r\nGET"));
  for (const std::string& whole : proxy_headers()) {
    const std::size_t signature = whole.front() == 'P' ? 6 : 12;
    for (std::size_t at = 0; at < signature; ++at) {
      std::string wrong = whole;
      wrong[at] ^= 0x20;
      EXPECT_THAT(outcome(std::string_view{wrong}.substr(0, at + 1)), HasSubstr("no PROXY protocol header"));
    }
  }
}

}  // namespace
}  // namespace mqtt::net::test
