#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <mqtt/server/server.hpp>

namespace mqtt::server {

/// One listener on 127.0.0.1 and, on a machine that has it, ::1. Port 0: a free one, the same for both.
[[nodiscard]] ServerConfig loopback_config(std::uint16_t port = 0);

/// A broker inside another program: a Server with a loop and a thread of its own, from start() to the
/// destructor. A program that has a net::Loop itself can open a Server in that, and needs no thread.
///
///     const auto broker = mqtt::server::EmbeddedBroker::start();
///     if (!broker) return fail(broker.error().context);
///     connect_to((*broker)->urls().front());
///
/// `config` says where it listens, with which TLS, and what its limits are (ServerConfig,
/// broker::BrokerConfig).
class EmbeddedBroker {
 public:
  /// Everybody may connect and do everything, nothing outlives the broker, and nobody is told of anything.
  /// Clients can connect when it returns; urls() says where. Errors are those of Server::open().
  [[nodiscard]] static Result<std::unique_ptr<EmbeddedBroker>> start(ServerConfig config = loopback_config());
  /// With users, rules, a store (whose contents are taken up) and events of the program's own. They are
  /// called in the broker's thread, from here until the destructor has returned, and outlive it; to close the
  /// store is the program's to do. With several threads, see BrokerEvents::wants_messages().
  [[nodiscard]] static Result<std::unique_ptr<EmbeddedBroker>> start(ServerConfig config,
                                                                     broker::BrokerServices services,
                                                                     ServerEvents& events);
  /// Stops listening, tells the clients (0x8B Server shutting down), lets them read that, and ends the
  /// thread: within the drain_timeout and linger_timeout of the configuration, at once where nobody is
  /// connected.
  ~EmbeddedBroker();
  EmbeddedBroker(const EmbeddedBroker&) = delete;
  EmbeddedBroker& operator=(const EmbeddedBroker&) = delete;

  /// Server::urls(): "mqtt://127.0.0.1:40321".
  [[nodiscard]] const std::vector<std::string>& urls() const;

 private:
  struct State;
  [[nodiscard]] static Result<std::unique_ptr<EmbeddedBroker>> start(std::unique_ptr<State> state,
                                                                     ServerConfig config,
                                                                     broker::BrokerServices services,
                                                                     ServerEvents& events);
  explicit EmbeddedBroker(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mqtt::server
