#pragma once
#include <string>

#include <mqtt/net/address.hpp>
#include <mqtt/net/proxy_dialog.hpp>
#include <mqtt/net/proxy_server.hpp>

namespace mqtt::net {

/// A client's part of HTTP's CONNECT (RFC 9110 section 9.3.6), without I/O, with Basic authentication.
class HttpConnectDialog {
 public:
  HttpConnectDialog(const ProxyServer& proxy, HostPort destination);

  /// What to send first.
  [[nodiscard]] Result<std::string> begin() const;
  /// Takes the answer from the front of `received`; interim answers (1xx) are skipped. An error is
  /// Error{proxy, errno}.
  [[nodiscard]] Result<DialogStep> receive(Bytes received) const;

 private:
  std::string destination_;  // host and port
  std::string login_;        // "user:password"
  bool has_login_ = false;
};

}  // namespace mqtt::net
