#include <mqtt/net/connector.hpp>

#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <utility>

#include <mqtt/net/background.hpp>
#include <mqtt/net/connect_attempt.hpp>
#include <mqtt/net/race.hpp>
#include <mqtt/net/time_limit.hpp>
#include <mqtt/net/tunnel.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::net {

struct Connector::State {
  Loop& loop;
  std::vector<HostPort> hosts;  // empty: connect to `path`
  ConnectOptions options;
  Callback done;
  std::string path;

  TurnEnd begin{loop, [this] { start(); }};
  Timer time_up{loop, [this] { on_time_up(); }};
  std::optional<SocketAddress> local;
  std::size_t index = 0;  // of the host being tried
  TimePoint host_started;
  Deadline host_deadline;  // this host's share
  std::unique_ptr<Background> service_lookup;
  std::unique_ptr<Lookup> lookup;
  std::unique_ptr<Race> race;
  std::unique_ptr<Tunnel> tunnel;           // through the proxy
  std::unique_ptr<ConnectAttempt> attempt;  // for a unix socket
  std::vector<Error> errors;                // one per host that failed

  State(Loop& l, std::vector<HostPort> h, ConnectOptions o, Callback callback)
      : loop{l}, hosts{std::move(h)}, options{std::move(o)}, done{std::move(callback)} {
    begin.request();
  }

  void start();
  void start_unix();
  void look_up_service();
  void on_service(Result<std::vector<ServiceRecord>> records);
  void start_host();
  void start_tunnel();
  void on_addresses(Result<std::vector<SocketAddress>> addresses);
  void start_race(const std::vector<SocketAddress>& addresses);
  void on_time_up();
  [[nodiscard]] std::string service_name() const;
  void host_failed(Error error);
  void finish(Result<Connected> result);
  [[nodiscard]] Deadline share_of_time(std::size_t hosts_left);
};

namespace {

/// All hosts' errors in one; somebody's answer tells more than silence, and that more than no address.
Error combine(std::vector<Error> errors) {
  const auto rank = [](const Error& error) {
    return error.domain == ErrorDomain::system ? 0 : error.domain == ErrorDomain::timeout ? 1 : 2;
  };
  const Error& telling = *std::ranges::min_element(errors, {}, rank);
  Error whole{telling.domain, telling.code, {}};
  for (std::size_t i = 0; i < errors.size(); ++i) {
    if (i > 0 && errors[i].context == errors[i - 1].context) continue;  // the same proxy, say
    whole.context += (i == 0 ? "" : "; ") + errors[i].context;
  }
  return whole;
}

}  // namespace

void Connector::State::start() {
  if (hosts.empty()) return start_unix();
  if (!options.local_address.empty()) {
    local = SocketAddress::parse(options.local_address, 0);
    if (!local)
      return finish(fail(ErrorDomain::system, EINVAL,
                         fmt::format("cannot connect from '{}': not an IP address", options.local_address)));
  }
  if (options.service.empty()) return start_host();
  look_up_service();
}

std::string Connector::State::service_name() const { return options.service + "." + hosts.front().host; }

void Connector::State::look_up_service() {
  host_started = loop.now();
  host_deadline = options.deadline;
  time_up.set(host_deadline);
  auto found = std::make_shared<Result<std::vector<ServiceRecord>>>();
  service_lookup = std::make_unique<Background>(
      loop, [found, ask = options.resolve_service, name = service_name()] { *found = ask(name); },
      [this, found](Result<void> worked) {
        if (!worked) *found = std::unexpected(std::move(worked.error()));
        on_service(std::move(*found));
      });
}

void Connector::State::on_service(Result<std::vector<ServiceRecord>> records) {
  service_lookup.reset();
  if (!records) return finish(std::unexpected(std::move(records.error())));
  std::mt19937 random{std::random_device{}()};
  auto order = in_order_of_trial(std::move(*records), [&random](std::uint32_t max) {
    return std::uniform_int_distribution<std::uint32_t>{0, max}(random);
  });
  if (order.empty())
    return finish(fail(ErrorDomain::resolve, EAI_NONAME,
                       fmt::format("the service '{}' is not offered", escape_for_terminal(service_name()))));
  hosts = std::move(order);
  start_host();
}

void Connector::State::start_unix() {
  host_started = loop.now();
  host_deadline = options.deadline;
  time_up.set(host_deadline);
  auto started = ConnectAttempt::unix_socket(loop, path, [this](auto stream) {
    if (!stream) return finish(std::unexpected(describe_connect_failure(stream.error(), {path})));
    finish(Connected{std::move(*stream), 0});
  });
  if (!started) return finish(std::unexpected(describe_connect_failure(started.error(), {path})));
  attempt = std::move(*started);
}

Deadline Connector::State::share_of_time(std::size_t hosts_left) {
  if (!options.deadline) return std::nullopt;
  const Duration left = std::max(*options.deadline - loop.now(), Duration{});
  return loop.now() + left / static_cast<std::int64_t>(hosts_left);
}

void Connector::State::start_host() {
  host_started = loop.now();
  host_deadline = share_of_time(hosts.size() - index);
  time_up.set(host_deadline);
  if (host_deadline && *host_deadline <= host_started) return;  // no lookup can be in time
  const auto& [host, port] = hosts[index];
  if (options.proxy && !bypasses_proxy(options.proxy->bypass, host)) return start_tunnel();
  lookup = std::make_unique<Lookup>(
      loop, host, port, options.family, [this](auto addresses) { on_addresses(std::move(addresses)); },
      options.overrides);
}

void Connector::State::start_tunnel() {
  tunnel = std::make_unique<Tunnel>(loop, hosts[index], options, [this](auto stream) {
    if (!stream) return host_failed(std::move(stream.error()));
    finish(Connected{std::move(*stream), options.service.empty() ? index : 0});
  });
}

void Connector::State::on_addresses(Result<std::vector<SocketAddress>> addresses) {
  lookup.reset();
  if (!addresses) return host_failed(std::move(addresses.error()));
  if (local) std::erase_if(*addresses, [&](const SocketAddress& a) { return a.family() != local->family(); });
  if (addresses->empty())
    return host_failed({ErrorDomain::system, EAFNOSUPPORT,
                        fmt::format("cannot connect from {} to {}: no address of the same family",
                                    options.local_address, escape_for_terminal(hosts[index].host))});
  start_race(*addresses);
}

void Connector::State::start_race(const std::vector<SocketAddress>& addresses) {
  race = std::make_unique<Race>(loop, addresses,
                                TcpOptions{local, options.interface, options.keep_alive, options.quick_ack},
                                [this](auto stream) {
                                  if (!stream) return host_failed(describe_failures(stream.error()));
                                  finish(Connected{std::move(*stream), options.service.empty() ? index : 0});
                                });
  race->start();
}

void Connector::State::on_time_up() {
  const Duration limit = *host_deadline - host_started;
  if (attempt) return finish(std::unexpected(timeout_error("no answer from " + path, limit)));
  if (race) return host_failed(timeout_error("no answer from " + race->waiting_for(), limit));
  if (tunnel) return host_failed(tunnel->timeout(limit));
  if (service_lookup) {
    service_lookup.reset();
    return finish(std::unexpected(timeout_error(
        fmt::format("no answer about the service '{}'", escape_for_terminal(service_name())), limit)));
  }
  host_failed(
      timeout_error(fmt::format("no address for '{}'", escape_for_terminal(hosts[index].host)), limit));
}

void Connector::State::host_failed(Error error) {
  lookup.reset();
  race.reset();
  tunnel.reset();
  time_up.cancel();
  errors.push_back(std::move(error));
  if (++index < hosts.size()) return start_host();
  finish(std::unexpected(combine(std::move(errors))));
}

void Connector::State::finish(Result<Connected> result) {
  time_up.cancel();
  const auto call = std::move(done);
  call(std::move(result));
}

Connector::Connector(Loop& loop, std::vector<HostPort> hosts, ConnectOptions options, Callback done)
    : state_{std::make_unique<State>(loop, std::move(hosts), std::move(options), std::move(done))} {}

Connector::Connector(Loop& loop, std::string path, Deadline deadline, Callback done)
    : state_{std::make_unique<State>(loop, std::vector<HostPort>{}, ConnectOptions{}, std::move(done))} {
  state_->path = std::move(path);
  state_->options.deadline = deadline;
}

Connector::~Connector() = default;

}  // namespace mqtt::net
