#include <gtest/gtest.h>

#include <mqtt/client/proxy_url.hpp>

namespace mqtt {
namespace {

using net::ProxyKind;

TEST(ProxyUrl, KindsAndTheirPorts) {
  const auto is = [](std::string_view url, ProxyKind kind, std::string_view host, std::uint16_t port) {
    const auto proxy = parse_proxy(url);
    return proxy && proxy->kind == kind && proxy->address.host == host && proxy->address.port == port;
  };
  EXPECT_TRUE(is("socks5://h", ProxyKind::socks5, "h", 1080));
  EXPECT_TRUE(is("SOCKS5H://h:99/", ProxyKind::socks5h, "h", 99));
  EXPECT_TRUE(is("http://h", ProxyKind::http, "h", 80));
  EXPECT_TRUE(is("h:3128", ProxyKind::http, "h", 3128));
  EXPECT_TRUE(is("socks5h://[::1]:1081", ProxyKind::socks5h, "::1", 1081));
}

TEST(ProxyUrl, CredentialsAreDecoded) {
  const auto proxy = parse_proxy("socks5h://jo%40e:p%3Aw@h");
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->user_name, "jo@e");
  EXPECT_EQ(proxy->password, "p:w");
  EXPECT_FALSE(parse_proxy("socks5h://h")->user_name);
}

TEST(ProxyUrl, RefusesTheRest) {
  for (const char* url : {"", "socks5://", "socks4://h", "https://h", "socks5h://h:0", "socks5h://h:x",
                          "socks5h://::1", "http://h/path", "socks5h://u%zz@h"})
    EXPECT_FALSE(parse_proxy(url)) << url;
  EXPECT_FALSE(parse_proxy("socks5h://" + std::string(256, 'u') + "@h"));
  EXPECT_TRUE(parse_proxy("http://" + std::string(256, 'u') + "@h"));
}

}  // namespace
}  // namespace mqtt
