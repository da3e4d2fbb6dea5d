#pragma once
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include <mqtt/net/listener.hpp>

#include "mqspy/relay.hpp"

namespace mq::spy {

/// Listens, and stands between each client that comes and a server.
class Proxy {
 public:
  /// Errors name the address. All that is given must outlive it.
  [[nodiscard]] static mqtt::Result<std::unique_ptr<Proxy>> open(mqtt::net::Loop& loop,
                                                                 const ProxyConfig& config,
                                                                 ProxyTransport& transport,
                                                                 Inspection& inspection, FaultRules& rules,
                                                                 mqtt::Duration to_wall);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// "mqtt://127.0.0.1:1883", one per address.
  [[nodiscard]] const std::vector<std::string>& urls() const { return urls_; }
  /// Stops listening and ends all connections.
  void shut_down();

 private:
  Proxy(mqtt::net::Loop& loop, ProxyTransport& transport, Inspection& inspection, FaultRules& rules,
        mqtt::Duration to_wall);

  [[nodiscard]] mqtt::Result<void> listen(const ListenPlace& place);
  [[nodiscard]] mqtt::Result<void> listen_at(ListenPlace place);
  void on_accepted(std::unique_ptr<mqtt::net::ByteStream> stream);
  void on_ended(Relay& relay);
  void at_turn_end();

  RelayServices services_;
  std::vector<std::unique_ptr<mqtt::net::Listener>> listeners_;
  std::vector<std::string> urls_;
  std::list<std::unique_ptr<Relay>> relays_;
  std::vector<std::unique_ptr<Relay>> ended_;  // until the turn ends
  mqtt::net::TurnEnd turn_end_;
};

}  // namespace mq::spy
