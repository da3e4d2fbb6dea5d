#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/connector.hpp>
#include <mqtt/net/http_upgrade.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/stream.hpp>
#include <mqtt/net/tls.hpp>

namespace mqtt::net {

/// What an Opening has behind it: a connection (with its proxy), and then the layers that there are.
enum class OpenStep : std::uint8_t { connected, tls, websocket };

/// Where to connect to, and through which layers.
struct StreamTarget {
  std::vector<HostPort> hosts;            ///< tried in order; empty for a unix socket
  std::string unix_path;                  ///< used if there are no hosts
  std::shared_ptr<const TlsContext> tls;  ///< null: none
  std::string tls_server_name;            ///< empty: the host that was connected to
  std::optional<WsOptions> ws;            ///< an empty Host header becomes host and port of the connection
  ConnectOptions connect;                 ///< its deadline covers lookup, connection, TLS and upgrade
  std::function<void(OpenStep)> on_step;  ///< for who measures them; it must not end the Opening
};

/// One attempt to open a stream; destroying it cancels. The callback comes from the loop, once, and
/// may destroy the Opening. No byte that arrives behind a handshake is lost: the stream keeps it
/// until it has a handler.
///
/// The error's domain tells the step that failed: resolve, system (connect), tls, websocket; or
/// timeout, whose text names the step.
class Opening {
 public:
  using Callback = std::function<void(Result<std::unique_ptr<ByteStream>>)>;

  Opening(Loop& loop, StreamTarget target, Callback done);
  ~Opening();
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mqtt::net
