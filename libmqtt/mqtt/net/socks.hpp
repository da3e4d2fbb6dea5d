#pragma once
#include <cstdint>
#include <string>

#include <mqtt/net/address.hpp>
#include <mqtt/net/proxy_dialog.hpp>
#include <mqtt/net/proxy_server.hpp>

namespace mqtt::net {

/// A client's part of SOCKS 5 (RFC 1928, RFC 1929), without I/O. The destination is told by name, or as an
/// address if it is a literal.
class SocksDialog {
 public:
  SocksDialog(const ProxyServer& proxy, HostPort destination);

  /// What to send first.
  [[nodiscard]] Result<std::string> begin() const;
  /// Takes the answer that is due from the front of `received`. An error is Error{proxy, errno}, and comes
  /// with the first byte that shows it.
  [[nodiscard]] Result<DialogStep> receive(Bytes received);

 private:
  enum class Expected : std::uint8_t { method, login, reply };

  [[nodiscard]] Result<DialogStep> on_method(Bytes received);
  [[nodiscard]] Result<DialogStep> on_login(Bytes received);
  [[nodiscard]] Result<DialogStep> on_reply(Bytes received) const;
  [[nodiscard]] std::string login() const;
  [[nodiscard]] std::string request() const;
  [[nodiscard]] Error refused(std::uint8_t code) const;

  HostPort destination_;
  std::string user_name_;
  std::string password_;
  bool has_login_ = false;
  Expected expected_ = Expected::method;
};

}  // namespace mqtt::net
