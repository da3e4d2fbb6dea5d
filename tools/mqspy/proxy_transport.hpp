#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mqtt/net/client_hello.hpp>
#include <mqtt/net/open_stream.hpp>
#include <mqtt/net/tls_throwaway.hpp>

#include "mqspy/proxy_config.hpp"

namespace mq::spy {

/// How both sides of a proxy are reached: certificates and addresses, made once for all connections.
class ProxyTransport {
 public:
  /// Loads certificates, or makes a CA.
  [[nodiscard]] static mqtt::Result<std::unique_ptr<ProxyTransport>> make(const ProxyConfig& config);

  [[nodiscard]] bool client_uses_tls() const { return uses_tls(config_.listen->transport); }
  [[nodiscard]] bool client_uses_websocket() const { return uses_websocket(config_.listen->transport); }
  [[nodiscard]] mqtt::net::WsServerOptions websocket() const;

  /// The way to the server, for a client that has asked for this.
  [[nodiscard]] mqtt::Result<mqtt::net::StreamTarget> target(const mqtt::net::ClientHello& hello);
  /// What the client sees: `alpn` is what the server has chosen of what it asked for.
  [[nodiscard]] mqtt::Result<std::shared_ptr<const mqtt::net::TlsContext>> identity(
      const mqtt::net::ClientHello& hello, const std::string& alpn);

  [[nodiscard]] mqtt::Duration connect_timeout() const { return config_.server.connect_timeout; }
  /// The throw-away CA's certificate; empty if there is none.
  [[nodiscard]] std::string ca_certificate() const { return ca_ ? ca_->certificate() : std::string{}; }
  /// "127.0.0.1:1883"
  [[nodiscard]] std::string server_place() const { return spy::server_place(config_.server); }
  /// "mqtts"
  [[nodiscard]] std::string_view transport_name() const;

 private:
  explicit ProxyTransport(const ProxyConfig& config) : config_{config} {}

  using Context = std::shared_ptr<const mqtt::net::TlsContext>;

  [[nodiscard]] std::string upstream_name(const mqtt::net::ClientHello& hello) const;
  [[nodiscard]] std::string own_name(const mqtt::net::ClientHello& hello) const;

  const ProxyConfig& config_;
  std::optional<mqtt::net::ThrowawayCa> ca_;
  std::map<std::vector<std::string>, Context> to_server_;             // by ALPN
  std::map<std::pair<std::string, std::string>, Context> to_client_;  // by name and ALPN
};

}  // namespace mq::spy
