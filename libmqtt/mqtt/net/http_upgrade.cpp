#include <mqtt/net/http_upgrade.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <mqtt/net/crypto.hpp>
#include <mqtt/net/http_head.hpp>
#include <mqtt/util/base64.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::net {
namespace {

Error ws_error(int status, std::string context) {
  return {ErrorDomain::websocket, status, std::move(context)};
}

std::unexpected<Error> refuse(std::string context) {
  return std::unexpected(ws_error(0, std::move(context)));
}

/// The path for an error sentence: a query may hold a signature that is worth a password.
std::string path_only(std::string_view target) {
  return escape_for_terminal(target.substr(0, target.find('?')));
}

bool is_request_target(std::string_view text) {
  return text.starts_with('/') && std::ranges::all_of(text, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte > 0x20 && byte != 0x7F;
         });
}

/// Fields that make the upgrade what it is; one more of them would contradict.
bool belongs_to_upgrade(std::string_view name) {
  constexpr std::array<std::string_view, 6> own{"Host",           "Upgrade",           "Connection",
                                                "Content-Length", "Transfer-Encoding", "Sec-WebSocket-Key"};
  return std::ranges::any_of(own, [&](std::string_view o) { return equal_ignoring_case(o, name); }) ||
         equal_ignoring_case(name.substr(0, 14), "Sec-WebSocket-");
}

Result<void> check_options(const WsOptions& options) {
  if (!is_request_target(options.path))
    return refuse(fmt::format("'{}' cannot be a WebSocket path", escape_for_terminal(options.path)));
  if (options.host.empty() || !is_http_field_value(options.host))
    return refuse(fmt::format("'{}' cannot be a Host header", escape_for_terminal(options.host)));
  for (const std::string& name : options.subprotocols)
    if (!is_http_token(name))
      return refuse(fmt::format("'{}' cannot be a subprotocol", escape_for_terminal(name)));
  for (const auto& [name, value] : options.headers) {
    if (!is_http_token(name) || !is_http_field_value(value))
      return refuse(fmt::format("'{}' cannot be an HTTP header", escape_for_terminal(name)));
    if (belongs_to_upgrade(name))
      return refuse(fmt::format("header '{}' belongs to the WebSocket upgrade itself", name));
  }
  return {};
}

Error refused_by_server(const HttpStatus& status, const HttpHead& head, const WsOptions& options) {
  std::string text = fmt::format("server answered HTTP {}{}{} to the WebSocket upgrade of {}", status.code,
                                 status.reason.empty() ? "" : " ", escape_for_terminal(status.reason),
                                 path_only(options.path));
  const auto location = head.single("Location");
  if (status.code / 100 == 3 && location)
    text += fmt::format(" and points to {}", escape_for_terminal(*location));
  return ws_error(status.code, std::move(text));
}

Result<std::string> check_subprotocol(const HttpHead& head, const WsOptions& options) {
  const auto selected = head.values("Sec-WebSocket-Protocol");
  if (selected.size() > 1) return refuse("server selected more than one subprotocol");
  if (selected.empty()) {
    if (options.subprotocols.empty()) return std::string{};
    return refuse(
        fmt::format("server did not select the subprotocol '{}'", fmt::join(options.subprotocols, "' or '")));
  }
  if (std::ranges::find(options.subprotocols, selected.front()) != options.subprotocols.end())
    return std::string{selected.front()};
  return refuse(fmt::format("server selected the subprotocol '{}', which was not offered",
                            escape_for_terminal(selected.front())));
}

bool starts_like(Bytes received, std::string_view beginning) {
  const std::size_t size = std::min(received.size(), beginning.size());
  return as_text(received.first(size)) == beginning.substr(0, size);
}

UpgradeAnswer refusal(int status, std::string_view reason, std::string_view detail,
                      std::string_view fields = {}) {
  UpgradeAnswer answer;
  answer.response = fmt::format(
      "HTTP/1.1 {} {}\r\n{}Connection: close\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{}\n",
      status, reason, fields, detail.size() + 1, detail);
  answer.refusal = ws_error(status, fmt::format("refused a WebSocket upgrade: {}", detail));
  return answer;
}

UpgradeAnswer bad_request(std::string_view detail) { return refusal(400, "Bad Request", detail); }

/// The request's path, if the request line is that of an upgrade.
std::optional<std::string_view> requested_path(std::string_view line) {
  constexpr std::string_view method = "GET ", version = " HTTP/1.1";
  if (!line.starts_with(method) || !line.ends_with(version) || line.size() <= method.size() + version.size())
    return std::nullopt;
  const std::string_view target = line.substr(method.size(), line.size() - method.size() - version.size());
  if (!is_request_target(target)) return std::nullopt;
  return target.substr(0, target.find('?'));
}

bool is_handshake_key(std::string_view key) {
  const auto bytes = from_base64(key);
  return bytes && bytes->size() == 16;
}

std::optional<std::string> select_subprotocol(const HttpHead& head, const WsServerOptions& options) {
  if (options.subprotocols.empty()) return std::string{};
  const auto offered = head.list("Sec-WebSocket-Protocol");
  for (const std::string& ours : options.subprotocols)
    if (std::ranges::find(offered, ours) != offered.end()) return ours;
  return std::nullopt;
}

UpgradeAnswer accept(std::string_view key, std::string subprotocol) {
  UpgradeAnswer answer;
  answer.response = fmt::format(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\nSec-WebSocket-Accept: {}\r\n",
      ws_accept_for(key));
  if (!subprotocol.empty()) answer.response += fmt::format("Sec-WebSocket-Protocol: {}\r\n", subprotocol);
  answer.response += "\r\n";
  answer.subprotocol = std::move(subprotocol);
  return answer;
}

}  // namespace

std::optional<std::size_t> http_head_size(Bytes received) {
  constexpr std::string_view end = "\r\n\r\n";
  const std::size_t at = as_text(received).substr(0, http_head_max_bytes).find(end);
  if (at == std::string_view::npos) return std::nullopt;
  return at + end.size();
}

bool may_be_http_response(Bytes received) { return starts_like(received, "HTTP/1."); }

bool may_be_http_request(Bytes received) {
  constexpr std::size_t method_max_bytes = 16;  // CONNECT and OPTIONS have 7
  const std::string_view text = as_text(received);
  const std::size_t size = std::min(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), text.size());
  return size <= method_max_bytes && (size == text.size() || (size > 0 && text[size] == ' '));
}

std::string ws_accept_for(std::string_view key) {
  // The value is fixed by RFC 6455 section 1.3.
  return to_base64(sha1(as_bytes(std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
}

Result<std::string> format_upgrade_request(const WsOptions& options, const WsKey& key) {
  if (auto usable = check_options(options); !usable) return std::unexpected(std::move(usable.error()));
  std::string request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {}\r\n"
      "Sec-WebSocket-Version: 13\r\n",
      options.path, options.host, key);
  if (!options.subprotocols.empty())
    request += fmt::format("Sec-WebSocket-Protocol: {}\r\n", fmt::join(options.subprotocols, ", "));
  for (const auto& [name, value] : options.headers) request += fmt::format("{}: {}\r\n", name, value);
  return request + "\r\n";
}

Result<std::string> check_upgrade_response(std::string_view text, const WsOptions& options,
                                           const WsKey& key) {
  const auto head = parse_http_head(text);
  const auto status = head ? parse_http_status(head->start_line) : std::nullopt;
  if (!status) return refuse("the server's answer to the WebSocket upgrade is not HTTP/1.1");
  if (status->code != 101) return std::unexpected(refused_by_server(*status, *head, options));
  if (!status->http_1_1) return refuse("server answered the WebSocket upgrade in HTTP/1.0");
  if (!head->lists("Upgrade", "websocket"))
    return refuse("server did not upgrade to WebSocket: no 'Upgrade: websocket'");
  if (!head->lists("Connection", "Upgrade"))
    return refuse("server did not upgrade to WebSocket: no 'Connection: Upgrade'");
  const auto accepted = head->single("Sec-WebSocket-Accept");
  if (!accepted) return refuse("server did not upgrade to WebSocket: no Sec-WebSocket-Accept");
  if (*accepted != ws_accept_for(key))
    return refuse("server's Sec-WebSocket-Accept does not belong to this request");
  if (!head->values("Sec-WebSocket-Extensions").empty())
    return refuse("server selected a WebSocket extension that was not offered");
  return check_subprotocol(*head, options);
}

UpgradeAnswer answer_upgrade_request(std::string_view text, const WsServerOptions& options) {
  const auto head = parse_http_head(text);
  if (!head) return bad_request("not HTTP/1.1");
  const auto path = requested_path(head->start_line);
  if (!path) return bad_request("a WebSocket upgrade is a GET request in HTTP/1.1");
  if (!head->single("Host")) return bad_request("exactly one Host header is needed");
  if (!options.path.empty() && *path != options.path)
    return refusal(404, "Not Found", "no WebSocket at this path");
  if (!head->lists("Upgrade", "websocket") || !head->lists("Connection", "Upgrade"))
    return refusal(426, "Upgrade Required", "this is a WebSocket server",
                   "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
  const auto version = head->single("Sec-WebSocket-Version");
  if (version != "13")
    return refusal(426, "Upgrade Required", "only WebSocket version 13 is spoken here",
                   "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
  const auto key = head->single("Sec-WebSocket-Key");
  if (!key || !is_handshake_key(*key)) return bad_request("Sec-WebSocket-Key must be 16 bytes in base64");
  auto subprotocol = select_subprotocol(*head, options);
  if (!subprotocol)
    return bad_request(
        fmt::format("the subprotocol '{}' must be offered", fmt::join(options.subprotocols, "' or '")));
  return accept(*key, std::move(*subprotocol));
}

}  // namespace mqtt::net
