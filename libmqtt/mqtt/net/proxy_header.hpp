#pragma once
#include <optional>

#include <mqtt/net/address.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// What a proxy says about the connection that it relays (HAProxy's PROXY protocol, version 1 or 2).
struct ProxyHeader {
  std::size_t size = 0;  ///< bytes it takes
  /// The client's address. Nothing if the proxy speaks for itself (LOCAL), does not know (UNKNOWN, UNSPEC),
  /// or relays what is not TCP (unix sockets, UDP): the connection's own address holds then.
  std::optional<SocketAddress> source;
};

/// Version 1 with its CRLF (proxy-protocol.txt, section 2.1).
constexpr std::size_t proxy_v1_max_bytes = 107;
/// Version 2: 16 bytes, the largest addresses (two of AF_UNIX), and room for additions (TLVs). The
/// specification lets senders go up to 536 bytes in all.
constexpr std::size_t proxy_v2_max_bytes = 16 + 2 * 108 + 2048;

/// Reads the header that `received` begins with. nullopt: it is not complete yet. An error comes with the
/// first byte that shows it: Error{system, EPROTO, "no PROXY protocol header ..."}. Additions are skipped.
[[nodiscard]] Result<std::optional<ProxyHeader>> parse_proxy_header(Bytes received);

}  // namespace mqtt::net
