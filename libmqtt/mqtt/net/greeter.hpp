#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>

#include <mqtt/net/http_upgrade.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/stream.hpp>
#include <mqtt/net/tls.hpp>

namespace mqtt::net {

/// Whether connections come through a proxy that tells whom it speaks for (net/proxy_header.hpp). There
/// is no guessing: with `required`, what does not begin with a header is closed.
enum class ProxyProtocol : std::uint8_t { off, required };

/// What an accepted connection goes through before it can be used, in this order.
struct Greeting {
  ProxyProtocol proxy_protocol = ProxyProtocol::off;
  std::shared_ptr<const TlsContext> tls;  ///< null: none
  std::optional<WsServerOptions> ws;
  Duration handshake_timeout = std::chrono::seconds{10};  ///< for proxy header, TLS and upgrade together
};

/// Does that with connections of one loop, any number at once. It may be made in another thread; destroying
/// it drops those that are under way.
class Greeter {
 public:
  /// An error names the peer. The call may destroy the greeter.
  using Greeted = std::function<void(Result<std::unique_ptr<ByteStream>>)>;

  Greeter(Loop& loop, Greeting greeting, Greeted greeted);
  ~Greeter();
  Greeter(const Greeter&) = delete;
  Greeter& operator=(const Greeter&) = delete;

  void welcome(std::unique_ptr<ByteStream> stream);
  [[nodiscard]] std::size_t under_way() const { return guests_.size(); }
  /// For connections from now on.
  void set_tls(std::shared_ptr<const TlsContext> tls) { greeting_.tls = std::move(tls); }

 private:
  struct Guest;

  Loop& loop_;
  Greeting greeting_;
  Greeted greeted_;
  std::list<Guest> guests_;
};

}  // namespace mqtt::net
