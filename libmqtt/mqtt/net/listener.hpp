#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <mqtt/net/http_upgrade.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/stream.hpp>
#include <mqtt/net/tls.hpp>

namespace mqtt::net {

struct ListenOptions {
  std::string address = "127.0.0.1";  ///< IP literal; unused with unix_path
  std::uint16_t port = 0;             ///< 0: the system's choice
  std::string unix_path;              ///< listen on this unix socket instead; removed at the end
  int backlog = 512;
  std::shared_ptr<const TlsContext> tls;  ///< null: none
  std::optional<WsServerOptions> ws;
  Duration handshake_timeout = std::chrono::seconds{10};  ///< for TLS and upgrade together
  std::size_t handshakes_max = 1024;                      ///< under way at once; one more is closed unheard
};

/// Accepts connections. Destroying it stops listening and drops handshakes under way; accepted
/// streams live on. Callbacks may destroy it.
class Listener {
 public:
  using Accepted = std::function<void(std::unique_ptr<ByteStream>)>;
  /// A connection that did not come to be: a failed handshake, or no descriptor left.
  using Failed = std::function<void(Error)>;

  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(Loop& loop, ListenOptions options,
                                                              Accepted accepted, Failed failed);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// The port in use; 0 for a unix socket.
  [[nodiscard]] std::uint16_t port() const;

 private:
  struct State;
  explicit Listener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mqtt::net
