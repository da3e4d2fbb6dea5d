#include <mqtt/net/listener.hpp>

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <list>
#include <utility>

#include <mqtt/net/address.hpp>
#include <mqtt/net/handshake.hpp>
#include <mqtt/net/lifetime.hpp>
#include <mqtt/net/listening_socket.hpp>
#include <mqtt/net/proxy.hpp>
#include <mqtt/net/uv_stream.hpp>
#include <mqtt/net/ws.hpp>

namespace mqtt::net {

namespace {

// About a millisecond's work; what waits behind them has its turn then.
constexpr int accepts_per_turn_max = 32;
// Long enough to cost nothing, short enough to be no delay to a client that connects.
constexpr Duration rest_in_shortage = std::chrono::milliseconds{200};

/// True for what accept(2) reports of the connection and not of the listening socket.
bool is_of_one_connection(int fault) {
  switch (fault) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ETIMEDOUT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP: return true;
    default: return false;
  }
}

/// A log line has to say whose handshake it was.
Error with_peer(Error error, const std::string& peer) {
  if (!error.context.contains(peer)) error.context = peer + ": " + error.context;
  return error;
}

}  // namespace

struct Listener::State {
  /// A connection between accept and its use.
  struct Guest {
    State& listener;
    Timer time_up;
    std::unique_ptr<ByteStream> stream;
    std::list<Guest>::iterator self;
    Handshake step = Handshake::proxy;

    explicit Guest(State& l) : listener{l}, time_up{l.loop, [this] { on_time_up(); }} {}
    void start_proxy();
    void start_tls();
    void start_websocket();
    void on_time_up();
    void finish(Result<void> result);
  };
  struct Callbacks {
    Accepted accepted;
    Failed failed;
  };

  Loop& loop;
  ListenOptions options;
  std::shared_ptr<const Callbacks> callbacks;  // shared with their own running calls
  ListeningSocket socket;
  std::shared_ptr<const std::string> path;  // shared by all connections to a unix socket
  std::unique_ptr<FdWatcher> watcher;
  Timer shortage_over;
  bool in_shortage = false;
  Lifetime lifetime;
  std::list<Guest> guests;

  State(Loop& l, ListenOptions o, Callbacks c, ListeningSocket s)
      : loop{l},
        options{std::move(o)},
        callbacks{std::make_shared<const Callbacks>(std::move(c))},
        socket{std::move(s)},
        path{socket.is_unix() ? std::make_shared<const std::string>(socket.place()) : nullptr},
        shortage_over{l, [this] { watcher->watch({.readable = true}); }} {}

  Result<void> watch();
  void on_connections();
  [[nodiscard]] bool accept_one();
  [[nodiscard]] bool on_accept_fault(int fault);
  void on_connection(OwnedFd fd, const sockaddr_storage& from);
  Result<std::unique_ptr<ByteStream>> make_stream(OwnedFd fd, const sockaddr_storage& from);
  void welcome(std::unique_ptr<ByteStream> stream);
  [[nodiscard]] bool has_handshake() const;
  void accepted(std::unique_ptr<ByteStream> stream) const;
  void failed(Error error) const;
};

Result<void> Listener::State::watch() {
  auto made = FdWatcher::open(loop, socket.fd(), [this](FdEvents) { on_connections(); });
  if (!made) return std::unexpected(std::move(made.error()));
  watcher = std::move(*made);
  watcher->watch({.readable = true});
  return {};
}

void Listener::State::on_connections() {
  const Lifetime::Watch watch{lifetime};
  for (int count = 0; count < accepts_per_turn_max && !watch.ended(); ++count)
    if (!accept_one()) return;
}

/// False if this turn has to do with what it has. May destroy this object otherwise.
bool Listener::State::accept_one() {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  OwnedFd fd{::accept4(socket.fd(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (!fd.valid()) return on_accept_fault(errno);
  in_shortage = false;
  on_connection(std::move(fd), from);
  return true;
}

bool Listener::State::on_accept_fault(int fault) {
  if (fault == EAGAIN) return false;
  if (is_of_one_connection(fault)) return true;
  // The connection stays in the backlog, so that the loop would come back at once, for ever.
  watcher->watch({});
  shortage_over.set(loop.now() + rest_in_shortage);
  if (!std::exchange(in_shortage, true))
    failed(system_error(fault, fmt::format("cannot accept connections on {} for now", socket.place())));
  return false;
}

void Listener::State::on_connection(OwnedFd fd, const sockaddr_storage& from) {
  auto stream = make_stream(std::move(fd), from);
  if (!stream) return failed(std::move(stream.error()));
  if (!has_handshake()) return accepted(std::move(*stream));
  if (guests.size() < options.handshakes_max) return welcome(std::move(*stream));
  failed({ErrorDomain::system, EAGAIN,
          fmt::format("too many handshakes at once: {} was turned away", (*stream)->peer())});
}

Result<std::unique_ptr<ByteStream>> Listener::State::make_stream(OwnedFd fd, const sockaddr_storage& from) {
  auto made =
      socket.is_unix() ? adopt_unix_socket(loop, std::move(fd), path) : adopt_tcp_socket(loop, std::move(fd));
  if (!made) return std::unexpected(std::move(made.error()));
  return std::make_unique<UvStream>(std::move(*made),
                                    SocketAddress::from(reinterpret_cast<const sockaddr*>(&from)));
}

bool Listener::State::has_handshake() const {
  return options.proxy_protocol == ProxyProtocol::required || options.tls || options.ws;
}

void Listener::State::welcome(std::unique_ptr<ByteStream> stream) {
  Guest& guest = guests.emplace_back(*this);
  guest.self = std::prev(guests.end());
  guest.stream = std::move(stream);
  guest.time_up.set(loop.now() + options.handshake_timeout);
  guest.start_proxy();
}

void Listener::State::Guest::start_proxy() {
  if (listener.options.proxy_protocol == ProxyProtocol::off) return start_tls();
  step = Handshake::proxy;
  stream = make_proxied_server(listener.loop, std::move(stream), [this](Result<void> opened) {
    if (!opened) return finish(std::move(opened));
    start_tls();
  });
}

void Listener::State::Guest::start_tls() {
  if (!listener.options.tls) return start_websocket();
  step = Handshake::tls;
  stream =
      make_tls_server(listener.loop, std::move(stream), listener.options.tls, [this](Result<void> opened) {
        if (!opened) return finish(std::move(opened));
        start_websocket();
      });
}

void Listener::State::Guest::start_websocket() {
  if (!listener.options.ws) return finish({});
  step = Handshake::websocket;
  stream = make_ws_server(listener.loop, std::move(stream), *listener.options.ws,
                          [this](Result<void> opened) { finish(std::move(opened)); });
}

void Listener::State::Guest::on_time_up() {
  finish(std::unexpected(handshake_timeout(step, stream->peer(), listener.options.handshake_timeout)));
}

void Listener::State::Guest::finish(Result<void> result) {
  State& home = listener;
  const Handshake failed_step = step;
  std::unique_ptr<ByteStream> kept = std::move(stream);
  home.guests.erase(self);  // ends this object
  if (result) return home.accepted(std::move(kept));
  home.failed(with_peer(handshake_error(failed_step, std::move(result.error())), kept->peer()));
}

void Listener::State::accepted(std::unique_ptr<ByteStream> stream) const {
  const auto keep = callbacks;
  keep->accepted(std::move(stream));
}

void Listener::State::failed(Error error) const {
  const auto keep = callbacks;
  keep->failed(std::move(error));
}

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, ListenOptions options, Accepted accepted,
                                                 Failed failed) {
  auto socket = ListeningSocket::open(options);
  if (!socket) return std::unexpected(std::move(socket.error()));
  State::Callbacks callbacks{std::move(accepted), std::move(failed)};
  auto state = std::make_unique<State>(loop, std::move(options), std::move(callbacks), std::move(*socket));
  if (auto watching = state->watch(); !watching) return std::unexpected(std::move(watching.error()));
  return std::unique_ptr<Listener>{new Listener{std::move(state)}};
}

Listener::Listener(std::unique_ptr<State> state) : state_{std::move(state)} {}
Listener::~Listener() = default;

std::uint16_t Listener::port() const { return state_->socket.port(); }
const std::string& Listener::place() const { return state_->socket.place(); }
void Listener::set_tls(std::shared_ptr<const TlsContext> tls) { state_->options.tls = std::move(tls); }

}  // namespace mqtt::net
