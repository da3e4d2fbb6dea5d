#include <mqtt/net/http_connect.hpp>

#include <fmt/format.h>

#include <cerrno>

#include <mqtt/net/http_head.hpp>
#include <mqtt/net/http_upgrade.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

/// The errno that comes nearest to what a status says.
int code_of(int status) {
  switch (status) {
    case 401:
    case 403:
    case 407: return EACCES;
    default: return status >= 500 ? EHOSTUNREACH : EPROTO;
  }
}

}  // namespace

HttpConnectDialog::HttpConnectDialog(const ProxyServer& proxy, HostPort destination)
    : destination_{host_and_port(destination.host, destination.port)},
      login_{proxy.user_name.value_or("") + ":" + proxy.password},
      has_login_{proxy.user_name.has_value()} {}

Result<std::string> HttpConnectDialog::begin() const {
  if (!is_http_field_value(destination_) || destination_.find(' ') != std::string::npos)
    return proxy_fault(EINVAL, fmt::format("cannot be asked for '{}'", escape_for_terminal(destination_)));
  std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", destination_);
  if (has_login_) request += fmt::format("Proxy-Authorization: Basic {}\r\n", to_base64(as_bytes(login_)));
  return request + "\r\n";
}

Result<DialogStep> HttpConnectDialog::receive(Bytes received) const {
  const auto size = http_head_size(received);
  if (!size) {
    if (!may_be_http_response(received)) return proxy_fault(EPROTO, "does not speak HTTP");
    if (received.size() < http_head_max_bytes) return DialogStep{};
    return proxy_fault(EPROTO, "sent an HTTP header that is too long");
  }
  const auto head = parse_http_head(as_text(received.first(*size)));
  const auto status = head ? parse_http_status(head->start_line) : std::nullopt;
  if (!status) return proxy_fault(EPROTO, "sent an answer that is not HTTP/1.1");
  if (status->code < 200) return DialogStep{*size};
  if (status->code < 300) return DialogStep{*size, {}, true};
  return proxy_fault(
      code_of(status->code),
      fmt::format("answered HTTP {}{}{} to CONNECT {}", status->code, status->reason.empty() ? "" : " ",
                  escape_for_terminal(status->reason), escape_for_terminal(destination_)));
}

}  // namespace mqtt::net
