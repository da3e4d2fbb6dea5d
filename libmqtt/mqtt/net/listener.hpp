#pragma once
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/greeter.hpp>
#include <mqtt/net/http_upgrade.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/loop_thread.hpp>
#include <mqtt/net/shortcut.hpp>
#include <mqtt/net/stream.hpp>
#include <mqtt/net/tls.hpp>

namespace mqtt::net {

/// Where to listen, for what, and how long a newcomer may take.
struct ListenOptions {
  std::string address = "127.0.0.1";  ///< IP literal; unused with unix_path. "::" takes no IPv4 connections
  std::uint16_t port = 0;             ///< 0: the system's choice
  std::string unix_path;              ///< listen on this unix socket instead; removed at the end. What a dead
                                      ///< process left there is replaced
  mode_t unix_mode = 0660;            ///< who may connect to unix_path, whatever the umask
  std::optional<int> fd = {};         ///< take over this listening socket instead (socket activation)
  int backlog = 512;
  ProxyProtocol proxy_protocol = ProxyProtocol::off;
  std::shared_ptr<const TlsContext> tls;  ///< null: none
  std::optional<WsServerOptions> ws;
  Duration handshake_timeout = std::chrono::seconds{10};  ///< for proxy header, TLS and upgrade together
  std::size_t handshakes_max = 1024;                      ///< under way at once; one more is closed unheard
  /// Of the same home as the listener, and outlive it and its streams: each connection, its handshakes
  /// included, is carried by the one that has the fewest (net/carried_stream.hpp). None: by the loop itself.
  std::vector<LoopThread*> threads = {};
  /// Makes what each stream that is carried by `thread` is given; may be empty.
  std::function<std::unique_ptr<Shortcut>(LoopThread& thread)> make_shortcut = {};
};

/// Accepts connections, in each turn of the loop a few, so that a storm of them does not stop the others.
/// Destroying it stops listening and drops handshakes under way; accepted streams live on. Callbacks may
/// destroy it.
class Listener {
 public:
  using Accepted = std::function<void(std::unique_ptr<ByteStream>)>;
  /// A connection that did not come to be: a failed handshake, with the peer's name in the sentence.
  /// Or accepting rests because the process or the system is short of descriptors or memory: that is said
  /// once until a connection has been accepted again; until then they wait in the backlog.
  using Failed = std::function<void(Error)>;

  [[nodiscard]] static Result<std::unique_ptr<Listener>> open(Loop& loop, ListenOptions options,
                                                              Accepted accepted, Failed failed);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// The port in use; 0 for a unix socket.
  [[nodiscard]] std::uint16_t port() const;
  /// Where it listens: "127.0.0.1:1883", "[::1]:1883", "/run/mqtt.sock".
  [[nodiscard]] const std::string& place() const;
  /// For connections from now on: certificates that were renewed.
  void set_tls(std::shared_ptr<const TlsContext> tls);

 private:
  struct State;
  explicit Listener(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mqtt::net
