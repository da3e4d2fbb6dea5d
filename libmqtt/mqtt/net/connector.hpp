#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/net/address.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/proxy_server.hpp>
#include <mqtt/net/resolver.hpp>
#include <mqtt/net/service.hpp>
#include <mqtt/net/stream.hpp>

namespace mqtt::net {

/// How to reach a host, below TLS.
struct ConnectOptions {
  Family family = Family::any;
  std::string local_address;           ///< IP literal to connect from; empty: the system's choice
  std::string interface;               ///< network interface to connect through; empty: the system's choice
  std::optional<Duration> keep_alive;  ///< TCP keep-alive probes after this much silence
  bool quick_ack = false;              ///< TCP acknowledges what is read at once
  std::vector<NameOverride> overrides;
  std::optional<ProxyServer> proxy;  ///< connect through it
  /// "_mqtt._tcp": the first host is a domain, whose SRV records say where to connect to. Empty: none.
  std::string service;
  ServiceResolver resolve_service = &query_services;
  Deadline deadline;  ///< over everything: lookups and all addresses
};

/// A connection that stands.
struct Connected {
  std::unique_ptr<ByteStream> stream;
  std::size_t host_index = 0;  ///< which of the hosts it is; 0 for one that a service named
};

/// Connects to the first of several hosts that answers. They are tried in order, each with an equal
/// share of the time left; the addresses of one host are raced (RFC 8305: families alternate, a new
/// attempt each 250 ms or as soon as one fails). Destroying it cancels. The callback comes from the
/// loop and may destroy the connector.
///
/// Errors: resolve; proxy; system with the errno that tells most ("connection refused by [::1]:1883 and
/// 127.0.0.1:1883"); timeout.
class Connector {
 public:
  using Callback = std::function<void(Result<Connected>)>;

  Connector(Loop& loop, std::vector<HostPort> hosts, ConnectOptions options, Callback done);
  /// A unix socket.
  Connector(Loop& loop, std::string path, Deadline deadline, Callback done);
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mqtt::net
