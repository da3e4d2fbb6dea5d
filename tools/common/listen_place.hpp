#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <mqtt/client/endpoint.hpp>
#include <mqtt/net/address.hpp>

#include "common/options.hpp"

namespace mq {

/// Where to listen, as a URL says it.
struct ListenPlace {
  mqtt::Transport transport = mqtt::Transport::tcp;
  std::string host = "localhost";  ///< IP literal, or "localhost": 127.0.0.1 and ::1. Unused with unix
  std::uint16_t port = 1883;       ///< 0: the system's choice
  std::string path;                ///< ws, wss: the path; unix: the socket's path

  /// "mqtt://127.0.0.1:1883"
  [[nodiscard]] std::string url() const;
  /// Nobody but this machine can reach it.
  [[nodiscard]] bool is_local() const;
};

/// "127.0.0.1:9400", "[::]:9400"; a name would have several addresses. Errors are the end of a sentence.
[[nodiscard]] std::expected<mqtt::net::HostPort, ValueFault> parse_address_with_port(std::string_view text);

/// Whether an IP literal is of this machine alone.
[[nodiscard]] bool is_loopback(std::string_view host);

/// Errors are the end of a sentence: "'x' is not an IP address".
[[nodiscard]] std::expected<ListenPlace, ValueFault> parse_listen_url(std::string_view url);

}  // namespace mq
