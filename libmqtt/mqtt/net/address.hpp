#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mqtt::net {

enum class Family : std::uint8_t { any, ipv4, ipv6 };

/// An IPv4 or IPv6 address with its port.
class SocketAddress {
 public:
  /// Nothing unless `text` is an IPv4 or IPv6 literal ("10.0.0.1", "::1", "fe80::1%eth0").
  [[nodiscard]] static std::optional<SocketAddress> parse(std::string_view text, std::uint16_t port);
  /// Nothing for other families.
  [[nodiscard]] static std::optional<SocketAddress> from(const sockaddr* address);

  [[nodiscard]] const sockaddr* raw() const { return &storage_.any; }
  [[nodiscard]] socklen_t raw_size() const;
  [[nodiscard]] Family family() const;
  [[nodiscard]] std::uint16_t port() const;
  void set_port(std::uint16_t port);
  /// "127.0.0.1:1883", "[::1]:1883"
  [[nodiscard]] std::string text() const;
  /// "127.0.0.1", "::1", "fe80::1%eth0"
  [[nodiscard]] std::string host_text() const;

 private:
  // Every accepted connection keeps one, and a sockaddr_storage is four times as large.
  union {
    sockaddr_in6 v6;
    sockaddr_in v4;
    sockaddr any;
  } storage_{};
};

[[nodiscard]] bool is_ip_literal(std::string_view host);

/// A place to connect to.
struct HostPort {
  std::string host;  ///< name or IP literal without brackets
  std::uint16_t port = 0;
};

/// "host:1883"; an IPv6 literal gets its brackets.
[[nodiscard]] std::string host_and_port(std::string_view host, std::uint16_t port);

}  // namespace mqtt::net
