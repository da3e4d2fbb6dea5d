#pragma once
#include <functional>
#include <memory>
#include <string>

#include <mqtt/net/connector.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/opened.hpp>
#include <mqtt/net/stream.hpp>

namespace mqtt::net {

/// A stream to `destination` through the proxy at the other end of `inner`. Its peer() names both. Errors
/// are of domain proxy and begin with the proxy's name. The caller keeps the deadline.
[[nodiscard]] std::unique_ptr<ByteStream> make_tunnel_client(Loop& loop, std::unique_ptr<ByteStream> inner,
                                                             const ProxyServer& proxy,
                                                             const HostPort& destination, Opened opened);

/// Connects to a proxy, and through it to one host. For socks5:// the host's addresses are looked up here
/// and tried one after the other, each over a connection of its own. Destroying it cancels. The callback
/// comes from the loop and may destroy the tunnel.
///
/// Errors: proxy, whose code is an errno value; resolve, for the proxy's name or, for socks5://, the host's.
class Tunnel {
 public:
  using Callback = std::function<void(Result<std::unique_ptr<ByteStream>>)>;

  /// `options` are those for the connection to the proxy; its proxy must be set, its deadline is the
  /// caller's to keep.
  Tunnel(Loop& loop, HostPort destination, ConnectOptions options, Callback done);
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  /// Whom to name when time is up: Error{proxy, ETIMEDOUT, "no answer from proxy a:1080 within 10s"}.
  [[nodiscard]] Error timeout(Duration limit) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mqtt::net
