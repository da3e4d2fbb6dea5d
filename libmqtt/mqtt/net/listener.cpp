#include <mqtt/net/listener.hpp>

#include <fmt/format.h>
#include <sys/un.h>

#include <cerrno>
#include <list>
#include <utility>

#include <mqtt/net/address.hpp>
#include <mqtt/net/handshake.hpp>
#include <mqtt/net/uv_stream.hpp>
#include <mqtt/net/ws.hpp>

namespace mqtt::net {

namespace {

std::string peer_of(const uv_tcp_t& connection) {
  sockaddr_storage raw{};
  int size = sizeof raw;
  uv_tcp_getpeername(&connection, reinterpret_cast<sockaddr*>(&raw), &size);
  const auto address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&raw));
  return address ? address->text() : "a peer that has gone";
}

}  // namespace

struct Listener::State {
  /// A connection between accept and its use.
  struct Guest {
    State& listener;
    Timer time_up;
    std::unique_ptr<ByteStream> stream;
    std::list<Guest>::iterator self;
    Handshake step = Handshake::tls;

    explicit Guest(State& l) : listener{l}, time_up{l.loop, [this] { on_time_up(); }} {}
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
  SocketPtr socket;
  std::list<Guest> guests;

  State(Loop& l, ListenOptions o, Accepted accepted, Failed failed)
      : loop{l},
        options{std::move(o)},
        callbacks{std::make_shared<const Callbacks>(Callbacks{std::move(accepted), std::move(failed)})} {}

  Result<void> bind();
  Result<void> bind_tcp(const SocketAddress& address);
  Result<void> bind_unix();
  Result<void> listen();
  void on_connection(int status);
  Result<std::unique_ptr<ByteStream>> accept();
  void welcome(std::unique_ptr<ByteStream> stream);
  [[nodiscard]] std::string place() const;
  [[nodiscard]] Error listen_error(int fault) const;
  void accepted(std::unique_ptr<ByteStream> stream) const;
  void failed(Error error) const;
};

std::string Listener::State::place() const {
  return options.unix_path.empty() ? host_and_port(options.address, options.port) : options.unix_path;
}

Error Listener::State::listen_error(int fault) const {
  return system_error(-fault, fmt::format("cannot listen on {}", place()));
}

Result<void> Listener::State::bind() {
  if (!options.unix_path.empty()) return bind_unix();
  const auto address = SocketAddress::parse(options.address, options.port);
  if (address) return bind_tcp(*address);
  return fail(ErrorDomain::system, EINVAL,
              fmt::format("cannot listen on '{}': not an IP address", options.address));
}

Result<void> Listener::State::bind_tcp(const SocketAddress& address) {
  auto made = make_tcp_socket(loop, address.raw()->sa_family);
  if (!made) return std::unexpected(std::move(made.error()));
  socket = std::move(*made);
  if (const int fault = uv_tcp_bind(&socket->handle.tcp, address.raw(), 0))
    return std::unexpected(listen_error(fault));
  return {};
}

Result<void> Listener::State::bind_unix() {
  if (options.unix_path.size() >= sizeof(sockaddr_un::sun_path))
    return std::unexpected(listen_error(-ENAMETOOLONG));
  socket = make_unix_socket(loop);
  if (const int fault = uv_pipe_bind(&socket->handle.pipe, options.unix_path.c_str()))
    return std::unexpected(listen_error(fault));
  return {};
}

Result<void> Listener::State::listen() {
  socket->owner = this;
  const auto on_connect = [](uv_stream_t* stream, int status) {
    const auto* listening = static_cast<Socket*>(stream->data);
    if (listening->owner) static_cast<State*>(listening->owner)->on_connection(status);
  };
  if (const int fault = uv_listen(&socket->handle.stream, options.backlog, on_connect))
    return std::unexpected(listen_error(fault));
  return {};
}

void Listener::State::on_connection(int status) {
  if (status < 0)
    return failed(system_error(-status, fmt::format("cannot accept a connection on {}", place())));
  auto stream = accept();
  if (!stream) return failed(std::move(stream.error()));
  if (!options.tls && !options.ws) return accepted(std::move(*stream));
  if (guests.size() < options.handshakes_max) return welcome(std::move(*stream));
  failed({ErrorDomain::system, EAGAIN,
          fmt::format("too many handshakes at once: {} was turned away", (*stream)->peer())});
}

Result<std::unique_ptr<ByteStream>> Listener::State::accept() {
  const bool is_unix = !options.unix_path.empty();
  auto guest = is_unix ? Result<SocketPtr>{make_unix_socket(loop)} : make_tcp_socket(loop, AF_UNSPEC);
  if (!guest) return std::unexpected(std::move(guest.error()));
  const int fault = uv_accept(&socket->handle.stream, &(*guest)->handle.stream);
  if (fault)
    return std::unexpected(system_error(-fault, fmt::format("cannot accept a connection on {}", place())));
  std::string peer = is_unix ? options.unix_path : peer_of((*guest)->handle.tcp);
  return std::make_unique<UvStream>(std::move(*guest), std::move(peer));
}

void Listener::State::welcome(std::unique_ptr<ByteStream> stream) {
  Guest& guest = guests.emplace_back(*this);
  guest.self = std::prev(guests.end());
  guest.stream = std::move(stream);
  guest.time_up.set(loop.now() + options.handshake_timeout);
  guest.start_tls();
}

void Listener::State::Guest::start_tls() {
  if (!listener.options.tls) return start_websocket();
  step = Handshake::tls;
  stream =
      make_tls_server(listener.loop, std::move(stream), listener.options.tls, [this](Result<void> opened) {
        if (!opened || !listener.options.ws) return finish(std::move(opened));
        start_websocket();
      });
}

void Listener::State::Guest::start_websocket() {
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
  if (!result) return home.failed(handshake_error(failed_step, std::move(result.error())));
  home.accepted(std::move(kept));
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
  auto state = std::make_unique<State>(loop, std::move(options), std::move(accepted), std::move(failed));
  if (auto bound = state->bind(); !bound) return std::unexpected(std::move(bound.error()));
  if (auto listening = state->listen(); !listening) return std::unexpected(std::move(listening.error()));
  return std::unique_ptr<Listener>{new Listener{std::move(state)}};
}

Listener::Listener(std::unique_ptr<State> state) : state_{std::move(state)} {}
Listener::~Listener() = default;

std::uint16_t Listener::port() const {
  sockaddr_storage raw{};
  int size = sizeof raw;
  if (!state_->options.unix_path.empty()) return 0;
  uv_tcp_getsockname(&state_->socket->handle.tcp, reinterpret_cast<sockaddr*>(&raw), &size);
  const auto address = SocketAddress::from(reinterpret_cast<const sockaddr*>(&raw));
  return address ? address->port() : std::uint16_t{0};
}

}  // namespace mqtt::net
