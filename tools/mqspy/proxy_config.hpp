#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/client/endpoint.hpp>
#include <mqtt/net/tls.hpp>
#include <mqtt/util/time.hpp>

#include "common/listen_place.hpp"
#include "common/options.hpp"
#include "mqspy/fault_rule.hpp"

namespace mq::spy {

/// Between whom `mqspy proxy` stands, and what it does to them.
struct ProxyConfig {
  std::optional<ListenPlace> listen;
  std::optional<mqtt::Endpoint> to;
  mqtt::net::TlsOptions identity;  ///< what clients see: a certificate, or none for one of a throw-away CA
  std::string ca_out;              ///< where that CA's certificate is written to, for clients to trust
  mqtt::net::TlsOptions upstream;  ///< how the server is verified, and what it sees
  std::string server_name;  ///< of the server, for SNI and verification; empty: what the client asks for
  mqtt::Duration connect_timeout = std::chrono::seconds{10};
  std::vector<FaultRule> faults;
  std::uint64_t seed = 1;
  bool print_address = false;
  std::optional<int> ready_fd;
};

void declare_proxy_options(Options& options, ProxyConfig& config);
/// A sentence if they do not go together.
[[nodiscard]] std::optional<std::string> find_proxy_fault(const ProxyConfig& config);

}  // namespace mq::spy
