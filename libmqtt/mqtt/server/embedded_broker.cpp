#include <mqtt/server/embedded_broker.hpp>

#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include <mqtt/broker/access.hpp>
#include <mqtt/broker/store.hpp>

namespace mqtt::server {
namespace {

SipKey random_secret() {
  SipKey secret{0};
  (void)::getrandom(&secret, sizeof secret, 0);  // does not fail for so little
  return secret;
}

}  // namespace

struct EmbeddedBroker::State {
  /// Tells nobody.
  class Silent final : public broker::BrokerEvents, public ServerEvents {
    [[nodiscard]] bool wants_messages() const override { return false; }
  };

  Result<void> open(ServerConfig config, broker::BrokerServices services, ServerEvents& told);
  Result<void> run();
  void stop();
  ~State();

  broker::AllowAnyone anyone;
  broker::AllowEverything everything;
  broker::NoStore nothing;
  Silent nobody;
  net::Loop loop;
  std::unique_ptr<Server> server;
  int stop_fd = -1;  // an eventfd: the one thing that both threads touch
  std::unique_ptr<net::FdWatcher> stop_watcher;
  std::thread thread;
};

Result<void> EmbeddedBroker::State::open(ServerConfig config, broker::BrokerServices services,
                                         ServerEvents& told) {
  stop_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_fd < 0) return std::unexpected(system_error(errno, "cannot make an event"));
  auto watcher = net::FdWatcher::open(loop, stop_fd, [this](net::FdEvents) { stop(); });
  if (!watcher) return std::unexpected(std::move(watcher.error()));
  stop_watcher = std::move(*watcher);
  stop_watcher->watch({.readable = true});
  auto opened = Server::open(loop, std::move(config), services, told, random_secret());
  if (!opened) return std::unexpected(std::move(opened.error()));
  server = std::move(*opened);
  return server->broker().recover(loop.now());
}

Result<void> EmbeddedBroker::State::run() try {
  thread = std::thread{[this] { loop.run(); }};
  return {};
} catch (const std::system_error& fault) {
  return std::unexpected(system_error(fault.code().value(), "cannot start a thread"));
}

/// In the broker's thread.
void EmbeddedBroker::State::stop() {
  stop_watcher->watch({});
  server->shut_down([this] { loop.stop(); });
}

EmbeddedBroker::State::~State() {
  if (thread.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto size = ::write(stop_fd, &one, sizeof one);
    thread.join();
  }
  stop_watcher.reset();
  if (stop_fd >= 0) ::close(stop_fd);
}

ServerConfig loopback_config(std::uint16_t port) {
  ServerConfig config;
  ListenerConfig& listener = config.listeners.emplace_back();
  listener.name = "loopback";
  listener.listen.port = port;
  return config;
}

Result<std::unique_ptr<EmbeddedBroker>> EmbeddedBroker::start(ServerConfig config) {
  auto state = std::make_unique<State>();
  const broker::BrokerServices defaults{state->anyone, state->everything, state->nothing, state->nobody};
  ServerEvents& events = state->nobody;
  return start(std::move(state), std::move(config), defaults, events);
}

Result<std::unique_ptr<EmbeddedBroker>> EmbeddedBroker::start(ServerConfig config,
                                                              broker::BrokerServices services,
                                                              ServerEvents& events) {
  return start(std::make_unique<State>(), std::move(config), services, events);
}

Result<std::unique_ptr<EmbeddedBroker>> EmbeddedBroker::start(std::unique_ptr<State> state,
                                                              ServerConfig config,
                                                              broker::BrokerServices services,
                                                              ServerEvents& events) {
  if (auto opened = state->open(std::move(config), services, events); !opened)
    return std::unexpected(std::move(opened.error()));
  if (auto running = state->run(); !running) return std::unexpected(std::move(running.error()));
  return std::unique_ptr<EmbeddedBroker>{new EmbeddedBroker{std::move(state)}};
}

EmbeddedBroker::EmbeddedBroker(std::unique_ptr<State> state) : state_{std::move(state)} {}
EmbeddedBroker::~EmbeddedBroker() = default;

const std::vector<std::string>& EmbeddedBroker::urls() const { return state_->server->urls(); }

}  // namespace mqtt::server
