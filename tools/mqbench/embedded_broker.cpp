#include "mqbench/embedded_broker.hpp"

#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <thread>
#include <utility>

#include <mqtt/broker/access.hpp>
#include <mqtt/broker/store.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/server/server.hpp>
#include <mqtt/util/text.hpp>

namespace mq::bench {
namespace {

mqtt::SipKey random_secret() {
  mqtt::SipKey secret{0};
  (void)::getrandom(&secret, sizeof secret, 0);  // does not fail for so little
  return secret;
}

mqtt::server::ServerConfig loopback_config() {
  mqtt::server::ServerConfig config;
  config.listeners.push_back({.name = "self", .listen = {}, .addresses = {"127.0.0.1"}});
  return config;
}

}  // namespace

struct EmbeddedBroker::State {
  /// Tells nobody.
  class Silent final : public mqtt::broker::BrokerEvents, public mqtt::server::ServerEvents {};

  mqtt::broker::AllowAnyone authenticator;
  mqtt::broker::AllowEverything access;
  mqtt::broker::NoStore store;
  Silent events;
  mqtt::net::Loop loop;
  std::unique_ptr<mqtt::server::Server> server;
  int stop_fd = -1;
  std::unique_ptr<mqtt::net::FdWatcher> stop;
  std::thread thread;

  ~State() {
    if (thread.joinable()) {
      const std::uint64_t one = 1;
      [[maybe_unused]] const auto size = ::write(stop_fd, &one, sizeof one);
      thread.join();
    }
    stop.reset();
    if (stop_fd >= 0) ::close(stop_fd);
  }
};

mqtt::Result<std::unique_ptr<EmbeddedBroker>> EmbeddedBroker::start() {
  auto state = std::make_unique<State>();
  State& s = *state;
  s.stop_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (s.stop_fd < 0) return std::unexpected(mqtt::system_error(errno, "cannot make an event"));
  auto watcher = mqtt::net::FdWatcher::open(s.loop, s.stop_fd, [&s](mqtt::net::FdEvents) { s.loop.stop(); });
  if (!watcher) return std::unexpected(std::move(watcher.error()));
  s.stop = std::move(*watcher);
  s.stop->watch({.readable = true});
  auto server = mqtt::server::Server::open(
      s.loop, loopback_config(), {s.authenticator, s.access, s.store, s.events}, s.events, random_secret());
  if (!server) return std::unexpected(std::move(server.error()));
  s.server = std::move(*server);
  s.thread = std::thread{[&s] { s.loop.run(); }};
  return std::unique_ptr<EmbeddedBroker>{new EmbeddedBroker{std::move(state)}};
}

EmbeddedBroker::EmbeddedBroker(std::unique_ptr<State> state) : state_{std::move(state)} {}
EmbeddedBroker::~EmbeddedBroker() = default;

std::uint16_t EmbeddedBroker::port() const {
  const std::string& url = state_->server->urls().front();
  return mqtt::parse_number<std::uint16_t>(std::string_view{url}.substr(url.rfind(':') + 1)).value_or(0);
}

}  // namespace mq::bench
