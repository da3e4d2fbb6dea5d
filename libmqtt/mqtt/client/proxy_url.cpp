#include <mqtt/client/proxy_url.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include <mqtt/client/authority.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt {
namespace {

using net::ProxyKind;

struct ProxyScheme {
  std::string_view name;
  ProxyKind kind;
  std::uint16_t port;
};

constexpr std::array<ProxyScheme, 3> proxy_schemes{{{"http", ProxyKind::http, 80},
                                                    {"socks5", ProxyKind::socks5, 1080},
                                                    {"socks5h", ProxyKind::socks5h, 1080}}};

constexpr std::size_t socks_field_max_bytes = 255;  // RFC 1929

}  // namespace

Result<net::ProxyServer> parse_proxy(std::string_view url) {
  const std::size_t colon = url.find("://");
  const std::string_view name = colon == url.npos ? "http" : url.substr(0, colon);
  const auto scheme = std::ranges::find_if(
      proxy_schemes, [&](const ProxyScheme& s) { return equal_ignoring_case(s.name, name); });
  if (scheme == proxy_schemes.end())
    return fail(
        ErrorDomain::url, 0,
        fmt::format("unknown kind of proxy '{}' (socks5, socks5h or http)", escape_for_terminal(name)));
  std::string_view rest = colon == url.npos ? url : url.substr(colon + 3);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  auto authority = parse_authority(rest, PortZero::refused);
  if (!authority) return std::unexpected(std::move(authority.error()));
  net::ProxyServer proxy{scheme->kind, {std::move(authority->host), authority->port.value_or(scheme->port)}};
  proxy.user_name = std::move(authority->user_name);
  proxy.password = std::move(authority->password).value_or("");
  const bool too_long = proxy.user_name.value_or("").size() > socks_field_max_bytes ||
                        proxy.password.size() > socks_field_max_bytes;
  if (too_long && proxy.kind != ProxyKind::http)
    return fail(ErrorDomain::url, 0, "SOCKS takes no user name or password of more than 255 bytes");
  return proxy;
}

}  // namespace mqtt
