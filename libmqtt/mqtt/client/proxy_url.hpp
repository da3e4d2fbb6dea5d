#pragma once
#include <string_view>

#include <mqtt/net/proxy_server.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt {

/// socks5://, socks5h:// or http://, each with [USER[:PASSWORD]@]HOST[:PORT]; without a scheme it is http, as
/// elsewhere. Default ports: 1080 for SOCKS, 80 for HTTP. Errors are of domain url and never hold the
/// password.
[[nodiscard]] Result<net::ProxyServer> parse_proxy(std::string_view url);

}  // namespace mqtt
