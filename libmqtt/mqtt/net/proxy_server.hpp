#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/net/address.hpp>

namespace mqtt::net {

enum class ProxyKind : std::uint8_t {
  socks5,   ///< SOCKS 5; we look names up (socks5://)
  socks5h,  ///< SOCKS 5; the proxy looks names up (socks5h://)
  http,     ///< HTTP's CONNECT (http://); the proxy looks names up
};

/// A proxy that connects us to the outside.
struct ProxyServer {
  ProxyKind kind = ProxyKind::socks5h;
  HostPort address;
  std::optional<std::string> user_name{};  ///< SOCKS: at most 255 bytes, as the password (RFC 1929)
  std::string password{};
  /// Hosts that are connected to directly: see bypasses_proxy().
  std::string bypass{};
};

/// Whether `host` is in a list as NO_PROXY has it, separated by commas or spaces: "*" is every host, a name
/// is itself and all below it ("example.org" or ".example.org"), an address is itself, "10.0.0.0/8" and
/// "fd00::/8" are networks. Names are compared as they are written: nothing is looked up.
[[nodiscard]] bool bypasses_proxy(std::string_view list, std::string_view host);

}  // namespace mqtt::net
