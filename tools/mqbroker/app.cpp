#include "mqbroker/app.hpp"

#include <sys/random.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <utility>

#include <mqtt/broker/store.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/server/server.hpp>
#include <mqtt/store/sqlite_store.hpp>

#include "common/readiness.hpp"
#include "common/signals.hpp"
#include "mqbroker/broker_log.hpp"
#include "mqbroker/listeners.hpp"

namespace mq {
namespace {

LogDetail detail_of(const BrokerSettings& settings) {
  if (settings.log.debug) return LogDetail::packets;
  return settings.verbose ? LogDetail::connections : LogDetail::plain;
}

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
  config.listeners = std::move(listeners);
  config.connections_max = settings.connections_max;
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

class App {
 public:
  App(const BrokerSettings& settings, std::unique_ptr<mqtt::broker::Store> store,
      std::unique_ptr<mqtt::broker::Authenticator> passwords,
      const std::vector<mqtt::server::ListenerConfig>& listeners)
      : settings_{settings},
        store_{std::move(store)},
        log_{settings.log, detail_of(settings)},
        users_{find_named(settings.listeners, listeners), std::move(passwords)},
        signals_{loop_, {.on_stop = [this] { on_stop(); }, .on_statistics = [this] { on_statistics(); }}},
        hangup_{loop_, SIGHUP, [this] { log_.ignored_hangup(); }} {}

  mqtt::Result<void> listen(std::vector<mqtt::server::ListenerConfig> listeners) {
    auto server = mqtt::server::Server::open(loop_, server_config(settings_, std::move(listeners)),
                                             {users_, access_, *store_, log_}, log_, random_secret());
    if (!server) return std::unexpected(std::move(server.error()));
    server_ = std::move(*server);
    return {};
  }

  /// Before run(): clients that are waiting already come in afterwards.
  mqtt::Result<void> recover() { return server_->broker().recover(loop_.now()); }

  ExitCode run() {
    log_.started(server_->urls(), server_->connections_max());
    if (const auto told = tell_started(); !told) {
      log_.local_fault(told.error());
      return ExitCode::local_io;
    }
    loop_.run();
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
  mqtt::Result<void> tell_started() {
    if (settings_.print_address)
      if (auto printed = print_addresses(server_->urls()); !printed) return printed;
    if (settings_.ready_fd) tell_ready(*settings_.ready_fd);
    notify_manager("READY=1");
    return {};
  }

  void on_stop() {
    log_.stopping(signals_.stop_signal());
    notify_manager("STOPPING=1");
    server_->shut_down([this] { loop_.stop(); });
  }

  void on_statistics() { log_.statistics(server_->broker().counters(), server_->counters()); }

  const BrokerSettings& settings_;
  std::unique_ptr<mqtt::broker::Store> store_;
  BrokerLog log_;
  CertificateUsers users_;
  mqtt::broker::AllowEverything access_;
  mqtt::net::Loop loop_;
  Signals signals_;
  mqtt::net::SignalWatcher hangup_;
  std::unique_ptr<mqtt::server::Server> server_;
};

}  // namespace

ExitCode serve(const BrokerSettings& settings) {
  LogSettings untimed = settings.log;
  untimed.timed = false;
  Diag diag{"mqbroker", untimed};
  auto listeners = make_listeners(settings.listeners);
  if (!listeners) {
    diag.error(listeners.error());
    return ExitCode::usage;
  }
  auto passwords = make_passwords(settings.password_file, settings.listeners, *listeners);
  if (!passwords) {
    diag.error(passwords.error());
    return ExitCode::usage;
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
  App app{settings, std::move(*store), std::move(*passwords), *listeners};
  if (const auto listening = app.listen(std::move(*listeners)); !listening) {
    diag.error(listening.error().context);
    return ExitCode::connect;
  }
  if (const auto recovered = app.recover(); !recovered) {
    diag.error(recovered.error().context);
    return ExitCode::local_io;
  }
  return app.run();
}

}  // namespace mq
