#include <mqtt/server/server.hpp>

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include <mqtt/server/exchange.hpp>
#include <mqtt/server/lanes.hpp>
#include <mqtt/server/listening.hpp>
#include <mqtt/server/throttle.hpp>

namespace mqtt::server {
namespace {

/// Standard streams, the loop's own, listeners, a database, files that are read anew.
constexpr std::size_t descriptors_reserved = 64;

/// A thread's loop has them for waiting and for being woken up.
constexpr std::size_t descriptors_per_thread = 8;

/// Handshakes have descriptors, but are no connections yet.
constexpr std::size_t handshakes_share = 8;

std::size_t descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur == RLIM_INFINITY) return std::numeric_limits<std::size_t>::max();
  return limit.rlim_cur;
}

bool shakes_hands(const net::ListenOptions& listen) {
  return listen.tls || listen.ws || listen.proxy_protocol != net::ProxyProtocol::off;
}

/// Fits connections and handshakes into the descriptors that there are.
void fit_descriptors(ServerConfig& config) {
  const std::size_t total = descriptors();
  const std::size_t reserved = descriptors_reserved + config.threads * descriptors_per_thread;
  std::size_t left = total - std::min(total / 2, reserved);
  for (ListenerConfig& listener : config.listeners) {
    if (!shakes_hands(listener.listen)) continue;
    std::size_t& handshakes = listener.listen.handshakes_max;
    handshakes = std::clamp<std::size_t>(left / handshakes_share, 1, std::max<std::size_t>(handshakes, 1));
    left -= std::min(left / 2, handshakes);
  }
  if (config.connections_max == 0) config.connections_max = left;
}

/// Who has not got as far as CONNECT is waited for as long, whatever the transport.
void fit_deadlines(ServerConfig& config) {
  for (ListenerConfig& listener : config.listeners)
    listener.listen.handshake_timeout = config.broker.limits.connect_timeout;
}

}  // namespace

struct Server::State {
  struct Entry {  // per listener
    std::string name;
    std::size_t connections_max;
    std::vector<std::unique_ptr<net::Listener>> listeners;
    Throttle surplus;
    Throttle failures;
  };

  State(net::Loop& l, ServerConfig c, broker::BrokerServices services, ServerEvents& e, SipKey secret)
      : loop{l}, config{std::move(c)}, events{e}, exchange{l, config, services, e, secret, lanes} {}

  Result<void> start_threads();
  void assign_threads();
  [[nodiscard]] std::unique_ptr<net::Shortcut> make_lane(const net::LoopThread& thread);
  Result<void> listen();
  void on_accepted(std::uint16_t listener, std::unique_ptr<net::ByteStream> stream);
  void on_failed(std::uint16_t listener, const Error& error);
  [[nodiscard]] bool is_full(std::uint16_t listener);
  void turn_away(std::uint16_t listener, net::ByteStream& stream);
  void stop_listening();

  net::Loop& loop;
  ServerConfig config;
  ServerEvents& events;
  std::vector<std::unique_ptr<net::LoopThread>> threads;  // outlive the connections
  std::vector<std::unique_ptr<Lanes>> lanes;              // of each
  /// Before the first of the lanes is destroyed: they tell one another things.
  struct StopThreads {
    std::vector<std::unique_ptr<net::LoopThread>>& threads;
    ~StopThreads() {
      for (const auto& thread : threads) thread->stop();
    }
  } stop_threads{threads};
  Exchange exchange;
  std::vector<Entry> entries;
  std::vector<std::string> urls;
};

Result<void> Server::State::start_threads() {
  while (threads.size() + 1 < config.threads) {
    auto started = net::LoopThread::start(loop);
    if (!started) return std::unexpected(std::move(started.error()));
    threads.push_back(std::move(*started));
    lanes.push_back(std::make_unique<Lanes>(*threads.back()));
  }
  Lanes::connect(lanes);
  assign_threads();
  return {};
}

/// A handshake of TLS takes milliseconds of a thread. Whoever needs none does not wait for others': where a
/// server has both, either has half of the threads, and of one alone TLS has it.
void Server::State::assign_threads() {
  const auto does_tls = [](const ListenerConfig& each) { return each.listen.tls != nullptr; };
  const bool mixed =
      std::ranges::any_of(config.listeners, does_tls) && !std::ranges::all_of(config.listeners, does_tls);
  const std::size_t half = threads.size() / 2;
  for (ListenerConfig& listener : config.listeners) {
    const std::size_t first = mixed && does_tls(listener) ? half : 0;
    const std::size_t last = mixed && !does_tls(listener) ? half : threads.size();
    for (std::size_t i = first; i < last; ++i) listener.listen.threads.push_back(threads[i].get());
    listener.listen.make_shortcut = [this](const net::LoopThread& thread) { return make_lane(thread); };
  }
}

std::unique_ptr<net::Shortcut> Server::State::make_lane(const net::LoopThread& thread) {
  const auto its = std::ranges::find(lanes, &thread, [](const auto& each) { return &each->thread(); });
  return (*its)->make_lane();
}

Result<void> Server::State::listen() {
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const auto index = static_cast<std::uint16_t>(i);
    const ListenerConfig& wanted = config.listeners[i];
    auto opened = start_listening(
        loop, wanted, [this, index](auto stream) { on_accepted(index, std::move(stream)); },
        [this, index](const Error& error) { on_failed(index, error); });
    if (!opened) return std::unexpected(std::move(opened.error()));
    entries.push_back({wanted.name, wanted.connections_max, std::move(opened->listeners), {}, {}});
    std::ranges::move(opened->urls, std::back_inserter(urls));
  }
  return {};
}

bool Server::State::is_full(std::uint16_t listener) {
  const std::size_t own_max = entries[listener].connections_max;
  return exchange.counters().connections >= config.connections_max ||
         (own_max > 0 && exchange.connections_through(listener) >= own_max);
}

void Server::State::on_accepted(std::uint16_t listener, std::unique_ptr<net::ByteStream> stream) {
  if (is_full(listener)) return turn_away(listener, *stream);
  broker::ConnectionInfo info{.address = stream->peer(),
                              .listener = entries[listener].name,
                              .certificate_common_name = stream->properties().peer_common_name};
  exchange.add(std::move(stream), std::move(info), listener);
}

void Server::State::turn_away(std::uint16_t listener, net::ByteStream& stream) {
  ++exchange.counters().surplus;
  Entry& entry = entries[listener];
  if (const std::uint64_t count = entry.surplus.note(loop.now()))
    events.on_turned_away(
        entry.name,
        {ErrorDomain::system, EMFILE, fmt::format("too many connections: {} was turned away", stream.peer())},
        count);
  stream.reset();
}

void Server::State::on_failed(std::uint16_t listener, const Error& error) {
  ++exchange.counters().failed;
  Entry& entry = entries[listener];
  if (const std::uint64_t count = entry.failures.note(loop.now()))
    events.on_turned_away(entry.name, error, count);
}

void Server::State::stop_listening() {
  for (Entry& entry : entries) entry.listeners.clear();
}

Result<std::unique_ptr<Server>> Server::open(net::Loop& loop, ServerConfig config,
                                             broker::BrokerServices services, ServerEvents& events,
                                             SipKey secret) {
  if (config.listeners.size() >= std::numeric_limits<std::uint16_t>::max())
    return fail(ErrorDomain::system, EINVAL, "too many listeners");
  fit_descriptors(config);
  fit_deadlines(config);
  auto state = std::make_unique<State>(loop, std::move(config), services, events, secret);
  if (auto started = state->start_threads(); !started) return std::unexpected(std::move(started.error()));
  if (auto listening = state->listen(); !listening) return std::unexpected(std::move(listening.error()));
  return std::unique_ptr<Server>{new Server{std::move(state)}};
}

Server::Server(std::unique_ptr<State> state) : state_{std::move(state)} {}
Server::~Server() = default;

const std::vector<std::string>& Server::urls() const { return state_->urls; }

void Server::shut_down(std::function<void()> done) {
  state_->stop_listening();
  state_->exchange.shut_down(std::move(done));
}

void Server::set_tls(std::size_t listener, const std::shared_ptr<const net::TlsContext>& tls) {
  for (const auto& one : state_->entries[listener].listeners) one->set_tls(tls);
}

void Server::adopt(std::unique_ptr<net::ByteStream> stream, broker::ConnectionInfo info) {
  const auto behind_listeners = static_cast<std::uint16_t>(state_->config.listeners.size());
  state_->exchange.add(std::move(stream), std::move(info), behind_listeners);
}

void Server::hear(broker::ConnectionInfo info, Bytes packets) {
  state_->exchange.hear(std::move(info), packets);
}

broker::Broker& Server::broker() { return state_->exchange.broker(); }
const ServerCounters& Server::counters() const { return state_->exchange.counters(); }
std::size_t Server::connections_max() const { return state_->config.connections_max; }

}  // namespace mqtt::server
