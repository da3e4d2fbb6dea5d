#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <mqtt/net/http_upgrade.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/opened.hpp>
#include <mqtt/net/stream.hpp>

namespace mqtt::net {

/// RFC 6455 over `inner`: binary messages carry the bytes, wherever their boundaries are. The
/// upgrade starts at once; `opened` is called from the loop. Errors are of domain websocket; code is
/// the HTTP status of a refusal, else 0. The caller keeps the deadline.
[[nodiscard]] std::unique_ptr<ByteStream> make_ws_client(Loop& loop, std::unique_ptr<ByteStream> inner,
                                                         const WsOptions& options, Opened opened);
[[nodiscard]] std::unique_ptr<ByteStream> make_ws_server(Loop& loop, std::unique_ptr<ByteStream> inner,
                                                         WsServerOptions options, Opened opened);

}  // namespace mqtt::net
