#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/tls.hpp>

#include "common/listen_place.hpp"
#include "common/options.hpp"
#include "mqspy/fault_rule.hpp"
#include "mqspy/server_config.hpp"

namespace mq::spy {

/// Between whom `mqspy proxy` stands, and what it does to them.
struct ProxyConfig {
  std::optional<ListenPlace> listen;
  ServerConfig server;
  mqtt::net::TlsOptions identity;  ///< what clients see: a certificate, or none for one of a throw-away CA
  std::string ca_out;              ///< where that CA's certificate is written to, for clients to trust
  std::vector<FaultRule> faults;
  std::uint64_t seed = 1;
  bool print_address = false;
  std::optional<int> ready_fd;
};

void declare_proxy_options(Options& options, ProxyConfig& config);
/// A sentence if they do not go together.
[[nodiscard]] std::optional<std::string> find_proxy_fault(const ProxyConfig& config);

}  // namespace mq::spy
