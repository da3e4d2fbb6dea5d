#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include <mqtt/net/http_connect.hpp>
#include <mqtt/net/proxy_server.hpp>
#include <mqtt/net/socks.hpp>

namespace mqtt::net::test {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

ProxyServer proxy(ProxyKind kind, bool login = false) {
  ProxyServer server{kind, {"proxy.example", 1080}};
  if (login) {
    server.user_name = "joe";
    server.password = "pass word";
  }
  return server;
}

/// Feeds `answers` byte by byte, each as the next one that is due; what the client says after each.
template <class Dialog>
std::vector<std::string> converse(Dialog dialog, const std::vector<std::string>& answers) {
  std::vector<std::string> said{*dialog.begin()};
  for (const std::string& answer : answers) {
    for (std::size_t size = 0; size < answer.size(); ++size) {
      const auto step = dialog.receive(as_bytes(answer).first(size));
      EXPECT_TRUE(step && step->used == 0 && !step->open) << size << " of " << answer.size();
    }
    const auto step = dialog.receive(as_bytes(answer + "rest"));
    EXPECT_TRUE(step) << step.error().context;
    if (!step) return said;
    EXPECT_EQ(step->used, answer.size());
    said.push_back(step->open ? "open" : step->reply);
  }
  return said;
}

template <class Dialog>
Error refusal(Dialog dialog, const std::vector<std::string>& answers) {
  for (const std::string& answer : answers) {
    const auto step = dialog.receive(as_bytes(answer));
    if (!step) {
      EXPECT_EQ(step.error().domain, ErrorDomain::proxy);
      return step.error();
    }
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

SocksDialog socks(bool login = false, HostPort destination = {"broker", 1883}) {
  return SocksDialog{proxy(ProxyKind::socks5h, login), std::move(destination)};
}

const std::string bound_reply = "\5\0\0\1\x7f\0\0\1\x12\x34"s;

TEST(SocksDialog, SendsNamesAndAddressesInTheirOwnForms) {
  const auto request = [](const std::string& host) {
    return converse(socks(false, {host, 0x1234}), {"\5\0"s})[1];
  };
  EXPECT_EQ(request("broker"), "\5\1\0\3\6broker\x12\x34"s);
  EXPECT_EQ(request("10.0.0.1"), "\5\1\0\1\x0a\0\0\1\x12\x34"s);
  EXPECT_EQ(request("::2"), "\5\1\0\4"s + std::string(15, '\0') + "\2\x12\x34"s);
}

TEST(SocksDialog, GoesThroughWithAndWithoutALogin) {
  const std::string request = "\5\1\0\3\6broker\7\x5b"s, login = "\1\3joe\x09pass word"s;
  using testing::ElementsAre;
  EXPECT_THAT(converse(socks(), {"\5\0"s, bound_reply}), ElementsAre("\5\1\0"s, request, "open"));
  EXPECT_THAT(converse(socks(true), {"\5\2"s, "\1\0"s, bound_reply}),
              ElementsAre("\5\2\0\2"s, login, request, "open"));
  EXPECT_THAT(converse(socks(true), {"\5\0"s, bound_reply}), ElementsAre("\5\2\0\2"s, request, "open"))
      << "the proxy may do without";
}

TEST(SocksDialog, TakesEveryFormOfBoundAddress) {
  for (const std::string& reply :
       {bound_reply, "\5\0\0\4"s + std::string(18, 'x'), "\5\0\0\3\0\1\2"s, "\5\0\0\3\3abc\1\2"s})
    EXPECT_EQ(converse(socks(), {"\5\0"s, reply}).back(), "open");
}

TEST(SocksDialog, NamesWhatWasRefused) {
  const auto reply = [](char code) { return refusal(socks(), {"\5\0"s, "\5"s + code}); };
  EXPECT_EQ(reply(5).context, "cannot connect to broker:1883: connection refused (SOCKS reply 5)");
  EXPECT_EQ(reply(5).code, ECONNREFUSED);
  EXPECT_EQ(reply(2).code, EACCES);
  EXPECT_THAT(reply('\xC8').context, HasSubstr("unknown reply (SOCKS reply 200)"));
  EXPECT_EQ(refusal(socks(true), {"\5\2"s, "\1\1"s}).context, "refused the user name and password");
  EXPECT_EQ(refusal(socks(), {"\5\xFF"s}).context, "wants credentials");
  EXPECT_EQ(refusal(socks(true), {"\5\xFF"s}).code, EACCES);
}

TEST(SocksDialog, RefusesLies) {
  EXPECT_EQ(refusal(socks(), {"H"}).context, "does not speak SOCKS 5, but HTTP");
  EXPECT_EQ(refusal(socks(), {"\4"}).context, "does not speak SOCKS 5");
  EXPECT_THAT(refusal(socks(), {"\5\1"s}).context, HasSubstr("method 1, which was not offered"));
  EXPECT_EQ(refusal(socks(), {"\5\2"s}).code, EACCES) << "a login that was not offered";
  EXPECT_THAT(refusal(socks(), {"\5\0"s, "\5\0\0\2\0"s}).context, HasSubstr("unknown type of address"));
  EXPECT_EQ(refusal(socks(), {"\5\0"s, "\1"}).context, "does not speak SOCKS 5");
}

TEST(SocksDialog, RefusesWhatDoesNotFitIntoItsFields) {
  ProxyServer long_password = proxy(ProxyKind::socks5h, true);
  long_password.password.assign(256, 'x');
  EXPECT_FALSE(SocksDialog(long_password, HostPort{"broker", 1}).begin());
  EXPECT_FALSE(socks(false, {std::string(256, 'x'), 1}).begin());
  EXPECT_TRUE(socks(false, {std::string(255, 'x'), 1}).begin());
}

HttpConnectDialog http(bool login = false, HostPort destination = {"broker", 1883}) {
  return HttpConnectDialog{proxy(ProxyKind::http, login), std::move(destination)};
}

TEST(HttpConnectDialog, AsksForHostAndPort) {
  EXPECT_EQ(*http().begin(), "CONNECT broker:1883 HTTP/1.1\r\nHost: broker:1883\r\n\r\n");
  EXPECT_EQ(*http(false, {"::1", 1}).begin(), "CONNECT [::1]:1 HTTP/1.1\r\nHost: [::1]:1\r\n\r\n");
  EXPECT_THAT(*http(true).begin(), HasSubstr("\r\nProxy-Authorization: Basic am9lOnBhc3Mgd29yZA==\r\n\r\n"));
  EXPECT_FALSE(http(false, {"a\r\nb", 1}).begin());
  EXPECT_FALSE(http(false, {"a b", 1}).begin());
}

TEST(HttpConnectDialog, EverySuccessOpensAndInterimAnswersAreSkipped) {
  for (const char* line : {"HTTP/1.1 200 OK", "HTTP/1.0 200 Connection established", "HTTP/1.1 204 "}) {
    const std::string answer = line + "\r\nVia: 1.1 x\r\n\r\n"s;
    EXPECT_EQ(converse(http(), {answer}).back(), "open") << line;
    EXPECT_EQ(converse(http(), {"HTTP/1.1 100 Continue\r\n\r\n", answer}).back(), "open");
  }
}

TEST(HttpConnectDialog, NamesWhatWasRefused) {
  const auto answer = [](const std::string& line) { return refusal(http(), {line + "\r\n\r\n"}); };
  EXPECT_EQ(answer("HTTP/1.1 403 Forbidden").context, "answered HTTP 403 Forbidden to CONNECT broker:1883");
  EXPECT_EQ(answer("HTTP/1.1 407 Proxy Authentication Required").code, EACCES);
  EXPECT_EQ(answer("HTTP/1.1 503 Service Unavailable").code, EHOSTUNREACH);
  EXPECT_EQ(answer("HTTP/1.1 302 Found").code, EPROTO);
  EXPECT_EQ(answer("HTTP/1.1 2x0 OK").context, "sent an answer that is not HTTP/1.1");
}

TEST(HttpConnectDialog, RefusesLies) {
  EXPECT_EQ(refusal(http(), {"\5\xFF"s}).context, "does not speak HTTP");
  EXPECT_EQ(refusal(http(), {"HTTP/1.1 200 OK\r\n folded: x\r\n\r\n"}).code, EPROTO);
  EXPECT_THAT(refusal(http(), {"HTTP/1.1 200 OK\r\nx: " + std::string(20'000, 'x')}).context,
              HasSubstr("too long"));
}

TEST(BypassesProxy, NamesAddressesAndNetworks) {
  EXPECT_TRUE(bypasses_proxy("*", "anything"));
  EXPECT_TRUE(bypasses_proxy("a.example, b.example", "b.example"));
  for (const char* entry : {"example", ".example", "Example", "example."}) {
    EXPECT_TRUE(bypasses_proxy(entry, "broker.example")) << entry;
    EXPECT_TRUE(bypasses_proxy(entry, "example.")) << entry;
    EXPECT_FALSE(bypasses_proxy(entry, "counterexample")) << entry;
  }
  EXPECT_TRUE(bypasses_proxy("10.0.0.0/8", "10.1.2.3"));
  EXPECT_FALSE(bypasses_proxy("10.0.0.0/8", "11.1.2.3"));
  EXPECT_TRUE(bypasses_proxy("192.168.1.128/25", "192.168.1.200"));
  EXPECT_FALSE(bypasses_proxy("192.168.1.128/25", "192.168.1.100"));
  EXPECT_TRUE(bypasses_proxy("::1 fd00::/8", "fd12::1"));
  EXPECT_TRUE(bypasses_proxy("0.0.0.0/0", "1.2.3.4"));
  EXPECT_TRUE(bypasses_proxy("::1", "0:0::1"));
  for (const char* entry : {"", ",", " ", "10.0.0.0/33", "10.0.0.0/x", "10.0.0.0/", "/8", ".", "0.0.1"})
    EXPECT_FALSE(bypasses_proxy(entry, "10.0.0.1")) << entry;
  EXPECT_FALSE(bypasses_proxy("", "")) << "no entry is no match";
}

}  // namespace
}  // namespace mqtt::net::test
