#include "mqspy/proxy_transport.hpp"

#include <algorithm>

namespace mq::spy {
namespace {

using mqtt::net::ClientHello;
using mqtt::net::TlsContext;
using mqtt::net::TlsOptions;

/// Of names that clients ask for, which they choose.
constexpr std::size_t contexts_max = 256;

}  // namespace

mqtt::Result<std::unique_ptr<ProxyTransport>> ProxyTransport::make(const ProxyConfig& config) {
  std::unique_ptr<ProxyTransport> made{new ProxyTransport{config}};
  if (made->client_uses_tls() && config.identity.certificate_file.empty()) {
    auto ca = mqtt::net::ThrowawayCa::make();
    if (!ca) return std::unexpected(std::move(ca.error()));
    made->ca_ = std::move(*ca);
  }
  // What is wrong with files shows now and not with the first client.
  if (made->client_uses_tls())
    if (auto context = made->identity({}, ""); !context) return std::unexpected(std::move(context.error()));
  if (auto target = made->target({}); !target) return std::unexpected(std::move(target.error()));
  return made;
}

mqtt::net::WsServerOptions ProxyTransport::websocket() const {
  return {.path = config_.listen->path, .subprotocols = {"mqtt", "mqttv3.1"}};
}

std::string_view ProxyTransport::transport_name() const {
  switch (config_.listen->transport) {
    case mqtt::Transport::tls: return "tls";
    case mqtt::Transport::ws: return "ws";
    case mqtt::Transport::wss: return "wss";
    case mqtt::Transport::unix_socket: return "unix";
    case mqtt::Transport::tcp: break;
  }
  return "tcp";
}

/// A client that was told "localhost" means us; any other name it means the server by.
std::string ProxyTransport::upstream_name(const ClientHello& hello) const {
  if (!config_.server.name.empty()) return config_.server.name;
  return hello.server_name == "localhost" ? std::string{} : hello.server_name;
}

std::string ProxyTransport::own_name(const ClientHello& hello) const {
  if (!hello.server_name.empty()) return hello.server_name;
  // Who connects to an address asks for none.
  const std::string& host = config_.listen->host;
  const bool anywhere = host == "0.0.0.0" || host == "::" || host.empty();
  return anywhere ? "localhost" : host;
}

mqtt::Result<mqtt::net::StreamTarget> ProxyTransport::target(const ClientHello& hello) {
  mqtt::net::StreamTarget made = plain_target(config_.server);
  if (!uses_tls(config_.server.to->transport)) return made;
  Context& context = to_server_[hello.alpn];
  if (!context) {
    TlsOptions options = config_.server.tls;
    if (options.alpn.empty()) options.alpn = hello.alpn;
    auto loaded = TlsContext::client(options);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    context = std::move(*loaded);
  }
  made.tls = context;
  made.tls_server_name = upstream_name(hello);
  if (to_server_.size() > contexts_max) to_server_.clear();
  return made;
}

mqtt::Result<std::shared_ptr<const TlsContext>> ProxyTransport::identity(const ClientHello& hello,
                                                                         const std::string& alpn) {
  const std::string name = ca_ ? own_name(hello) : std::string{};
  if (const auto known = to_client_.find({name, alpn}); known != to_client_.end()) return known->second;
  TlsOptions options = config_.identity;
  if (!alpn.empty()) options.alpn = {alpn};
  if (ca_) {
    auto issued = ca_->issue(name);
    if (!issued) return std::unexpected(std::move(issued.error()));
    options.identity_pem = std::move(*issued);
  }
  auto loaded = TlsContext::server(options);
  if (!loaded) return loaded;
  if (to_client_.size() >= contexts_max) to_client_.clear();
  to_client_[{name, alpn}] = *loaded;
  return loaded;
}

}  // namespace mq::spy
