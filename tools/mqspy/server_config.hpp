#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <mqtt/client/endpoint.hpp>
#include <mqtt/net/open_stream.hpp>
#include <mqtt/net/tls.hpp>
#include <mqtt/util/time.hpp>

#include "common/options.hpp"

namespace mq::spy {

/// How the server is reached that `proxy` and `replay` connect to.
struct ServerConfig {
  std::optional<mqtt::Endpoint> to;
  mqtt::net::TlsOptions tls;  ///< how it is verified, and what it sees
  std::string name;           ///< for SNI and verification; empty: what the client asks for, or the host
  mqtt::Duration connect_timeout = std::chrono::seconds{10};
};

void declare_server_options(Options& options, ServerConfig& config);

/// "127.0.0.1:1883"
[[nodiscard]] std::string server_place(const ServerConfig& config);
/// Without TLS, and without a deadline.
[[nodiscard]] mqtt::net::StreamTarget plain_target(const ServerConfig& config);

}  // namespace mq::spy
