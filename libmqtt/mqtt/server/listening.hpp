#pragma once
#include <memory>
#include <string>
#include <vector>

#include <mqtt/net/listener.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/server/server.hpp>

namespace mqtt::server {

/// A ListenerConfig in use.
struct Listening {
  std::vector<std::unique_ptr<net::Listener>> listeners;  ///< one per address
  std::vector<std::string> urls;                          ///< of each
};

[[nodiscard]] Result<Listening> start_listening(net::Loop& loop, const ListenerConfig& config,
                                                const net::Listener::Accepted& accepted,
                                                const net::Listener::Failed& failed);

}  // namespace mqtt::server
