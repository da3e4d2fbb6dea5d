#pragma once
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <mqtt/net/address.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/stream.hpp>

namespace mqtt::net {

struct TcpOptions {
  std::optional<SocketAddress> local;  ///< connect from here; of the same family as the address
  std::string interface;               ///< connect through this one
  std::optional<Duration> keep_alive;  ///< probes after this much silence
  bool quick_ack = false;              ///< what is read is acknowledged at once
};

/// A connection to one address or path under way; destroying it cancels. The callback comes from the
/// loop, once, with the stream or an errno value, and may destroy the attempt.
class ConnectAttempt {
 public:
  using Callback = std::function<void(std::expected<std::unique_ptr<ByteStream>, int>)>;

  /// What fails at once (no route, no such local address) is an errno value here; no callback follows.
  [[nodiscard]] static std::expected<std::unique_ptr<ConnectAttempt>, int> tcp(Loop& loop,
                                                                               const SocketAddress& address,
                                                                               const TcpOptions& options,
                                                                               Callback done);
  [[nodiscard]] static std::expected<std::unique_ptr<ConnectAttempt>, int> unix_socket(
      Loop& loop, const std::string& path, Callback done);
  ~ConnectAttempt();
  ConnectAttempt(const ConnectAttempt&) = delete;
  ConnectAttempt& operator=(const ConnectAttempt&) = delete;

 private:
  struct State;
  explicit ConnectAttempt(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mqtt::net
