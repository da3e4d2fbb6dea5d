#include "mqbroker/app.hpp"

#include <malloc.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <utility>

#include <mqtt/auth/password_users.hpp>
#include <mqtt/auth/token_users.hpp>
#include <mqtt/bridge/access.hpp>
#include <mqtt/bridge/bridge.hpp>
#include <mqtt/broker/acl_file.hpp>
#include <mqtt/broker/store.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/server/server.hpp>
#include <mqtt/store/sqlite_store.hpp>

#include "common/authentication.hpp"
#include "common/readiness.hpp"
#include "common/signals.hpp"
#include "mqbroker/bridge_log.hpp"
#include "mqbroker/broker_log.hpp"
#include "mqbroker/broker_pages.hpp"
#include "mqbroker/listeners.hpp"
#include "mqbroker/reload.hpp"

namespace mq {
namespace {

/// The soft limit on descriptors is there for programs that use select(); a broker uses what it may have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

/// A file that reaches its limit is a disk that is full: an error, not an end.
void ignore_file_size_limit() { (void)std::signal(SIGXFSZ, SIG_IGN); }

mqtt::SipKey random_secret() {
  mqtt::SipKey secret{0};
  (void)::getrandom(&secret, sizeof secret, 0);  // does not fail for so little
  return secret;
}

mqtt::server::ServerConfig server_config(const BrokerSettings& settings,
                                         std::vector<mqtt::server::ListenerConfig> listeners) {
  mqtt::server::ServerConfig config;
  config.broker = settings.broker;
  config.broker.version = "mqbroker version " MQ_VERSION;
  config.broker.heap_bytes = [] {
    const auto heap = ::mallinfo2();
    return heap.uordblks + heap.hblkhd;
  };
  config.listeners = std::move(listeners);
  config.connections_max = settings.connections_max;
  config.threads = settings.threads;
  return config;
}

mqtt::store::ClockPair clocks() {
  using namespace std::chrono;
  return {steady_clock::now(), duration_cast<milliseconds>(system_clock::now().time_since_epoch())};
}

/// Memory only without --db.
mqtt::Result<std::unique_ptr<mqtt::broker::Store>> open_store(const BrokerSettings& settings) {
  if (!settings.database) return std::make_unique<mqtt::broker::NoStore>();
  auto store = mqtt::store::SqliteStore::open(*settings.database, settings.durability, clocks);
  if (!store) return std::unexpected(std::move(store.error()));
  return std::move(*store);
}

mqtt::Result<void> check_database(const BrokerSettings& settings) {
  if (!settings.database) return {};
  return mqtt::store::check_ours(*settings.database);
}

/// Null where neither a password file nor keys for tokens say who comes in; without the former nobody has a
/// password.
std::unique_ptr<mqtt::auth::PasswordUsers> make_users(const Reloadable& files,
                                                      std::vector<std::string> anonymous_listeners) {
  if (!files.passwords && !files.token_keys) return nullptr;
  return std::make_unique<mqtt::auth::PasswordUsers>(files.passwords.value_or(mqtt::auth::PasswordFile{}),
                                                     std::move(anonymous_listeners), scram_nonce);
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Null without keys.
std::unique_ptr<mqtt::auth::TokenUsers> make_token_users(const Reloadable& files,
                                                         const mqtt::auth::JwtRules& rules,
                                                         mqtt::auth::PasswordUsers* others) {
  if (!files.token_keys || !others) return nullptr;
  return std::make_unique<mqtt::auth::TokenUsers>(*files.token_keys, rules, seconds_since_1970, *others);
}

class App {
 public:
  App(const BrokerSettings& settings, const std::vector<ListenerSettings>& listener_settings,
      std::unique_ptr<mqtt::broker::Store> store, Reloadable files, std::vector<BridgeSetup> bridges)
      : settings_{settings},
        listener_settings_{listener_settings},
        store_{std::move(store)},
        listeners_{std::move(files.listeners)},
        log_{settings.log, files.log_detail, settings.traced},
        rules_{std::move(files.rules)},
        passwords_{make_users(files, find_anonymous(listener_settings, listeners_))},
        tokens_{make_token_users(files, settings.tokens.rules, passwords_.get())},
        users_{find_named(listener_settings, listeners_), everybody_else()},
        bridge_setups_{std::move(bridges)},
        signals_{loop_, {.on_stop = [this] { on_stop(); }, .on_statistics = [this] { on_statistics(); }}},
        hangup_{loop_, SIGHUP, [this] { on_hangup(); }} {}

  mqtt::Result<void> listen() {
    auto server = mqtt::server::Server::open(loop_, server_config(settings_, listeners_),
                                             {bridge_users_, access(), *store_, log_}, log_, random_secret());
    if (!server) return std::unexpected(std::move(server.error()));
    server_ = std::move(*server);
    if (!settings_.metrics) return {};
    auto pages = open_pages(
        loop_, *settings_.metrics, *server_, [this] { return bridge_facts(); },
        [this](const mqtt::Error& error) { log_.pages_fault(error); });
    if (!pages) return std::unexpected(std::move(pages.error()));
    pages_ = std::move(*pages);
    return {};
  }

  /// Before run(): clients that are waiting already come in afterwards.
  mqtt::Result<void> recover() { return server_->broker().recover(loop_.now()); }

  /// After recover(), and before anybody else comes in: what goes out over a bridge is subscribed to then.
  void open_bridges() {
    for (BridgeSetup& setup : bridge_setups_) {
      bridge_logs_.push_back(std::make_unique<BridgeLog>(loop_, log_.diag(), setup.where));
      bridges_.push_back(std::make_unique<mqtt::bridge::Bridge>(loop_, *server_, std::move(setup.config),
                                                                *bridge_logs_.back(), random_secret()));
      bridges_.back()->start();
    }
  }

  ExitCode run() {
    log_.started(server_->urls(), server_->connections_max());
    if (pages_) log_.serving_pages(pages_->place());
    if (const auto told = tell_started(); !told) {
      log_.local_fault(told.error());
      return ExitCode::local_io;
    }
    loop_.run();
    bridges_.clear();
    server_.reset();  // takes its unix sockets away
    if (const auto closed = store_->close(); !closed) {
      log_.local_fault(closed.error());
      return ExitCode::local_io;
    }
    store_.reset();  // the log goes into the database
    if (signals_.stop_signal() != 0) die_by(signals_.stop_signal());
    return ExitCode::internal;
  }

 private:
  mqtt::broker::AccessControl& access() {
    if (!rules_) return everything_;
    bridge_access_.emplace(*rules_);
    return *bridge_access_;
  }

  /// Those whom no certificate names.
  mqtt::broker::Authenticator* everybody_else() {
    if (tokens_) return tokens_.get();
    return passwords_.get();
  }

  mqtt::Result<void> tell_started() {
    if (settings_.print_address)
      if (auto printed = print_addresses(server_->urls()); !printed) return printed;
    if (settings_.ready_fd) tell_ready(*settings_.ready_fd);
    notify_manager("READY=1");
    return {};
  }

  [[nodiscard]] std::vector<BridgeFacts> bridge_facts() const {
    std::vector<BridgeFacts> facts;
    for (std::size_t i = 0; i < bridges_.size(); ++i)
      facts.push_back({settings_.bridges[i].name(), bridges_[i]->status()});
    return facts;
  }

  void on_stop() {
    log_.stopping(signals_.stop_signal());
    notify_manager("STOPPING=1");
    pages_.reset();  // who asks how it is learns that it ends
    for (const auto& bridge : bridges_) bridge->stop();
    server_->shut_down([this] { loop_.stop(); });
  }

  /// All of it, or nothing.
  void on_hangup() {
    auto files = read_files(settings_, listener_settings_);
    if (!files) return log_.reload_failed(files.error());
    if (passwords_ && files->passwords) passwords_->replace(std::move(*files->passwords));
    if (tokens_) tokens_->replace(std::move(*files->token_keys));
    if (rules_) rules_ = std::move(files->rules);
    server_->broker().end_routes();
    for (std::size_t i = 0; i < files->listeners.size(); ++i)
      if (const auto& tls = files->listeners[i].listen.tls) server_->set_tls(i, tls);
    log_.set_detail(files->log_detail);
    log_.reloaded();
  }

  void on_statistics() { log_.statistics(server_->broker().counters(), server_->counters()); }

  const BrokerSettings& settings_;
  const std::vector<ListenerSettings>& listener_settings_;  // keys' passwords included
  std::unique_ptr<mqtt::broker::Store> store_;
  const std::vector<mqtt::server::ListenerConfig> listeners_;
  BrokerLog log_;
  mqtt::broker::AllowEverything everything_;
  std::optional<mqtt::broker::AclFile> rules_;  // whether there is one stays as it was at the start
  std::unique_ptr<mqtt::auth::PasswordUsers> passwords_;
  std::unique_ptr<mqtt::auth::TokenUsers> tokens_;
  CertificateUsers users_;
  mqtt::bridge::BridgeUsers bridge_users_{users_};
  std::optional<mqtt::bridge::BridgeAccess> bridge_access_;  // if there are rules
  std::vector<BridgeSetup> bridge_setups_;
  mqtt::net::Loop loop_;
  Signals signals_;
  mqtt::net::SignalWatcher hangup_;
  std::unique_ptr<mqtt::server::Server> server_;
  std::unique_ptr<PageServer> pages_;
  std::vector<std::unique_ptr<BridgeLog>> bridge_logs_;
  std::vector<std::unique_ptr<mqtt::bridge::Bridge>> bridges_;
};

}  // namespace

ExitCode serve(const BrokerSettings& settings) {
  LogSettings untimed = settings.log;
  untimed.timed = false;
  Diag diag{"mqbroker", untimed};
  const auto listener_settings = with_key_passwords(settings.listeners);
  if (!listener_settings) {
    diag.error(listener_settings.error());
    return ExitCode::usage;
  }
  auto files = read_files(settings, *listener_settings);
  if (!files) {
    diag.error(files.error());
    return ExitCode::usage;
  }
  std::vector<BridgeSetup> bridges;
  for (const BridgeSettings& bridge : settings.bridges) {
    auto setup = make_bridge_setup(bridge);
    if (!setup) {
      diag.error(setup.error());
      return ExitCode::usage;
    }
    bridges.push_back(std::move(*setup));
  }
  if (settings.check_only) {
    if (const auto usable = check_database(settings); !usable) {
      diag.error(usable.error().context);
      return ExitCode::usage;
    }
    diag.info("the configuration can be used");
    return ExitCode::ok;
  }
  raise_descriptor_limit();
  ignore_file_size_limit();
  auto store = open_store(settings);
  if (!store) {
    diag.error(store.error().context);
    return ExitCode::local_io;
  }
  App app{settings, *listener_settings, std::move(*store), std::move(*files), std::move(bridges)};
  if (const auto listening = app.listen(); !listening) {
    diag.error(listening.error().context);
    return ExitCode::connect;
  }
  if (const auto recovered = app.recover(); !recovered) {
    diag.error(recovered.error().context);
    return ExitCode::local_io;
  }
  app.open_bridges();
  return app.run();
}

}  // namespace mq
