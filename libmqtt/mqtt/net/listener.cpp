#include <mqtt/net/listener.hpp>

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <mqtt/net/address.hpp>
#include <mqtt/net/carried_stream.hpp>
#include <mqtt/net/greeter.hpp>
#include <mqtt/net/lifetime.hpp>
#include <mqtt/net/listening_socket.hpp>
#include <mqtt/net/uv_stream.hpp>

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

}  // namespace

struct Listener::State {
  struct Callbacks {
    Accepted accepted;
    Failed failed;
  };
  /// A thread that connections go to, and who greets them there.
  struct Carrier {
    LoopThread* thread;
    std::unique_ptr<Greeter> greeter;
  };
  /// What comes of a greeting in a thread, told there: here nobody may ask the stream.
  struct Greeted {
    std::unique_ptr<ByteStream> stream;
    std::string peer;
    StreamProperties properties;
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
  std::size_t handshakes = 0;  // under way
  Greeter greeter;             // of connections that the loop has itself
  std::vector<Carrier> carriers;
  std::shared_ptr<State*> address = std::make_shared<State*>(this);  // null once this has ended

  State(Loop& l, ListenOptions o, Callbacks c, ListeningSocket s);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> watch();
  void on_connections();
  [[nodiscard]] bool accept_one();
  [[nodiscard]] bool on_accept_fault(int fault);
  void on_connection(OwnedFd fd, const sockaddr_storage& from);
  [[nodiscard]] static Result<std::unique_ptr<ByteStream>> make_stream(
      Loop& where, OwnedFd fd, const sockaddr_storage& from, const std::shared_ptr<const std::string>& path);
  [[nodiscard]] std::string peer(const sockaddr_storage& from) const;
  [[nodiscard]] bool has_handshake() const;
  [[nodiscard]] Greeting greeting() const;
  void on_greeted(Result<std::unique_ptr<ByteStream>> stream);
  // With threads:
  Carrier& least_busy();
  void hand_on(Carrier& carrier, OwnedFd fd, const sockaddr_storage& from);
  [[nodiscard]] std::unique_ptr<Shortcut> make_shortcut(LoopThread& thread) const {
    return options.make_shortcut ? options.make_shortcut(thread) : nullptr;
  }
  [[nodiscard]] std::unique_ptr<Greeter> make_greeter(LoopThread& thread) const;
  static void tell(LoopThread& thread, const std::shared_ptr<State*>& back, Result<Greeted> greeted);
  static void on_told(LoopThread& thread, State* listener, Result<Greeted> greeted);

  void set_tls(std::shared_ptr<const TlsContext> tls);
  void accepted(std::unique_ptr<ByteStream> stream) const;
  void failed(Error error) const;
};

Listener::State::State(Loop& l, ListenOptions o, Callbacks c, ListeningSocket s)
    : loop{l},
      options{std::move(o)},
      callbacks{std::make_shared<const Callbacks>(std::move(c))},
      socket{std::move(s)},
      path{socket.is_unix() ? std::make_shared<const std::string>(socket.place()) : nullptr},
      shortage_over{l, [this] { watcher->watch({.readable = true}); }},
      greeter{l, greeting(), [this](auto stream) { on_greeted(std::move(stream)); }} {
  for (LoopThread* thread : options.threads) carriers.push_back({thread, make_greeter(*thread)});
}

Listener::State::~State() {
  *address = nullptr;
  // Handshakes under way are dropped where they are: of those nothing else is told any more.
  for (Carrier& carrier : carriers)
    carrier.thread->post([&thread = *carrier.thread, ended = std::move(carrier.greeter)](Bytes) {
      thread.post_home([&thread, dropped = ended->under_way()](Bytes) {
        for (std::size_t i = 0; i < dropped; ++i) thread.end_use();
      });
    });
}

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
  if (has_handshake() && handshakes >= options.handshakes_max)
    return failed({ErrorDomain::system, EAGAIN,
                   fmt::format("too many handshakes at once: {} was turned away", peer(from))});
  if (!carriers.empty()) return hand_on(least_busy(), std::move(fd), from);
  auto stream = make_stream(loop, std::move(fd), from, path);
  if (!stream) return failed(std::move(stream.error()));
  if (!has_handshake()) return accepted(std::move(*stream));
  ++handshakes;
  greeter.welcome(std::move(*stream));
}

Result<std::unique_ptr<ByteStream>> Listener::State::make_stream(
    Loop& where, OwnedFd fd, const sockaddr_storage& from, const std::shared_ptr<const std::string>& path) {
  auto made = path ? adopt_unix_socket(where, std::move(fd), path) : adopt_tcp_socket(where, std::move(fd));
  if (!made) return std::unexpected(std::move(made.error()));
  return std::make_unique<UvStream>(std::move(*made),
                                    SocketAddress::from(reinterpret_cast<const sockaddr*>(&from)));
}

std::string Listener::State::peer(const sockaddr_storage& from) const {
  const auto known = SocketAddress::from(reinterpret_cast<const sockaddr*>(&from));
  return known ? known->text() : *path;
}

bool Listener::State::has_handshake() const {
  return options.proxy_protocol == ProxyProtocol::required || options.tls || options.ws;
}

Greeting Listener::State::greeting() const {
  return {options.proxy_protocol, options.tls, options.ws, options.handshake_timeout};
}

Listener::State::Carrier& Listener::State::least_busy() {
  return *std::ranges::min_element(carriers, {}, [](const Carrier& each) { return each.thread->uses(); });
}

void Listener::State::on_greeted(Result<std::unique_ptr<ByteStream>> stream) {
  --handshakes;
  stream ? accepted(std::move(*stream)) : failed(std::move(stream.error()));
}

void Listener::State::hand_on(Carrier& carrier, OwnedFd fd, const sockaddr_storage& from) {
  MakeStream make = [fd = std::move(fd), from, shared = path](Loop& where) mutable {
    return make_stream(where, std::move(fd), from, shared);
  };
  if (!has_handshake())
    return accepted(carry(*carrier.thread, peer(from), {}, std::move(make), make_shortcut(*carrier.thread)));
  ++handshakes;
  carrier.thread->begin_use();
  carrier.thread->post([&thread = *carrier.thread, to = carrier.greeter.get(), back = address,
                        make = std::move(make)](Bytes) mutable {
    auto stream = make(thread.loop());
    stream ? to->welcome(std::move(*stream)) : tell(thread, back, std::unexpected(std::move(stream.error())));
  });
}

/// In the thread.
void Listener::State::tell(LoopThread& thread, const std::shared_ptr<State*>& back, Result<Greeted> greeted) {
  thread.post_home([&thread, back, greeted = std::move(greeted)](Bytes) mutable {
    on_told(thread, *back, std::move(greeted));
  });
}

std::unique_ptr<Greeter> Listener::State::make_greeter(LoopThread& thread) const {
  return std::make_unique<Greeter>(
      thread.loop(), greeting(), [&thread, back = address](Result<std::unique_ptr<ByteStream>> stream) {
        if (!stream) return tell(thread, back, std::unexpected(std::move(stream.error())));
        std::string peer = (*stream)->peer();
        StreamProperties agreed = (*stream)->properties();
        tell(thread, back, Greeted{std::move(*stream), std::move(peer), std::move(agreed)});
      });
}

/// At home. `listener`: null if it has ended meanwhile.
void Listener::State::on_told(LoopThread& thread, State* listener, Result<Greeted> greeted) {
  thread.end_use();
  if (!listener) {  // it ends where it belongs, or with the thread, should that have stopped
    if (greeted) thread.post([ended = std::move(greeted->stream)](Bytes) {});
    return;
  }
  --listener->handshakes;
  if (!greeted) return listener->failed(std::move(greeted.error()));
  listener->accepted(carry(
      thread, std::move(greeted->peer), std::move(greeted->properties),
      [stream = std::move(greeted->stream)](Loop&) mutable -> Result<std::unique_ptr<ByteStream>> {
        return std::move(stream);
      },
      listener->make_shortcut(thread)));
}

void Listener::State::set_tls(std::shared_ptr<const TlsContext> tls) {
  options.tls = tls;
  greeter.set_tls(tls);
  for (const Carrier& carrier : carriers)
    carrier.thread->post([to = carrier.greeter.get(), tls](Bytes) { to->set_tls(tls); });
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
void Listener::set_tls(std::shared_ptr<const TlsContext> tls) { state_->set_tls(std::move(tls)); }

}  // namespace mqtt::net
