#pragma once
#include <functional>
#include <memory>
#include <optional>

#include <mqtt/net/loop.hpp>
#include <mqtt/net/open_stream.hpp>
#include <mqtt/net/stream.hpp>

#include "mqspy/proxy_transport.hpp"

namespace mq::spy {

/// Brings a client that has connected and a server together: hears what the client asks for, asks the server
/// for it, and answers the client's handshakes as the server has. Destroying it drops both.
class Introduction {
 public:
  struct Pair {
    std::unique_ptr<mqtt::net::ByteStream> client;
    std::unique_ptr<mqtt::net::ByteStream> server;
  };
  /// Called once, from the loop; it may destroy the Introduction. An error has closed both.
  using Done = std::function<void(mqtt::Result<Pair>)>;

  Introduction(mqtt::net::Loop& loop, ProxyTransport& transport,
               std::unique_ptr<mqtt::net::ByteStream> client, Done done);

 private:
  void read_hello();
  void open_server();
  void start_tls();
  void start_websocket();
  [[nodiscard]] std::string chosen_alpn() const;
  void finish(mqtt::Result<void> result);

  mqtt::net::Loop& loop_;
  ProxyTransport& transport_;
  Pair pair_;
  Done done_;
  mqtt::net::ClientHello hello_;
  std::unique_ptr<mqtt::net::Opening> opening_;
  mqtt::net::Timer time_up_;
};

}  // namespace mq::spy
