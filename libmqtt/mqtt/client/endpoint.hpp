#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mqtt/util/error.hpp>

namespace mqtt {

enum class Transport : std::uint8_t { tcp, tls, ws, wss, unix_socket };

[[nodiscard]] constexpr bool uses_tls(Transport t) { return t == Transport::tls || t == Transport::wss; }
[[nodiscard]] constexpr bool uses_websocket(Transport t) { return t == Transport::ws || t == Transport::wss; }
/// 1883, 8883, 80, 443; 0 for a unix socket.
[[nodiscard]] std::uint16_t default_port(Transport transport);

/// A broker's address as a URL says it.
struct Endpoint {
  Transport transport = Transport::tcp;
  std::string host;  ///< name or IP literal, without brackets
  std::uint16_t port = 0;
  std::string path;  ///< ws, wss: path and query as written, at least "/"; unix: the socket's path
  std::optional<std::string> user_name;  ///< percent-decoded
  std::optional<std::string> password;   ///< percent-decoded
  std::string topic;                     ///< mqtt, mqtts: what follows the first '/', percent-decoded
};

/// Whether a URL may say port 0: that of a place to listen, where it is the system's choice.
enum class PortZero : std::uint8_t { refused, allowed };

/// RFC 3986 for mqtt, mqtts, ws, wss and unix. Two deliberate widenings, both for what people type:
/// user information ends at the last '@', and a topic may hold '?', '#' and '+' as they are.
/// Errors are of domain url and name what is wrong, never the password.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view url, PortZero zero = PortZero::refused);

/// The address as parse_endpoint() reads it, with its port, and without what may be secret or is no address:
/// user, password, query and topic.
[[nodiscard]] std::string public_url(const Endpoint& endpoint);

}  // namespace mqtt
