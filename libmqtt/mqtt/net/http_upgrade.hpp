#pragma once
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::net {

/// A header field to be sent.
struct HttpHeader {
  std::string name;
  std::string value;
};

/// What a client asks for.
struct WsOptions {
  std::string path = "/";                 ///< path and query, sent as they are
  std::string host;                       ///< Host header: name, with the port unless it is the scheme's
  std::vector<std::string> subprotocols;  ///< offered in this order; the server must select one of them
  std::vector<HttpHeader> headers;        ///< sent besides the upgrade's own
};

/// What a server accepts.
struct WsServerOptions {
  std::string path;                       ///< without query; empty accepts every path
  std::vector<std::string> subprotocols;  ///< in order of preference; a client must offer one. Empty: any
};

/// A head (start line and header fields) that grows beyond this is not read further.
inline constexpr std::size_t http_head_max_bytes = 16 * 1024;

/// Bytes of the head at the front of `received`, with its empty line; nullopt if that has not come.
[[nodiscard]] std::optional<std::size_t> http_head_size(Bytes received);

/// The 16 bytes of a handshake's key, in base64.
using WsKey = std::string;

/// The request of RFC 6455 section 4.1. Error{websocket} if an option would break the head's lines.
[[nodiscard]] Result<std::string> format_upgrade_request(const WsOptions& options, const WsKey& key);

/// Checks the head of a server's response (RFC 6455 section 4.1): the selected subprotocol (empty if
/// none was offered), or Error{websocket, HTTP status or 0} with the reason.
[[nodiscard]] Result<std::string> check_upgrade_response(std::string_view head, const WsOptions& options,
                                                         const WsKey& key);

/// True as long as `received` can be the beginning of an HTTP/1.x response.
[[nodiscard]] bool may_be_http_response(Bytes received);

/// True as long as `received` can be the beginning of a request: a method in capitals, a path.
[[nodiscard]] bool may_be_http_request(Bytes received);

/// A server's answer to an upgrade request.
struct UpgradeAnswer {
  std::string response;     ///< the whole response, 101 or a refusal
  std::string subprotocol;  ///< the selected one, if accepted
  std::optional<Error> refusal;
};

/// Checks the head of a client's request (RFC 6455 section 4.2).
[[nodiscard]] UpgradeAnswer answer_upgrade_request(std::string_view head, const WsServerOptions& options);

/// Sec-WebSocket-Accept for a key.
[[nodiscard]] std::string ws_accept_for(std::string_view key);

}  // namespace mqtt::net
