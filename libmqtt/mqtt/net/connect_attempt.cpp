#include <mqtt/net/connect_attempt.hpp>

#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <mqtt/net/uv_stream.hpp>

namespace mqtt::net {
namespace {

int descriptor_of(uv_tcp_t& tcp) {
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<uv_handle_t*>(&tcp), &fd);
  return fd;
}

/// An errno value, or 0.
int bind_local(uv_tcp_t& tcp, const SocketAddress& local) {
  // Without this the kernel picks the port before it knows the peer: one source address would be
  // good for 28,000 connections in all instead of to each peer.
  constexpr int yes = 1;
  setsockopt(descriptor_of(tcp), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  return -uv_tcp_bind(&tcp, local.raw(), 0);
}

/// An errno value, or 0.
int bind_interface(uv_tcp_t& tcp, const std::string& name) {
  const auto size = static_cast<socklen_t>(name.size());
  return setsockopt(descriptor_of(tcp), SOL_SOCKET, SO_BINDTODEVICE, name.data(), size) == 0 ? 0 : errno;
}

void keep_alive(uv_tcp_t& tcp, Duration silence) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(silence).count();
  uv_tcp_keepalive(&tcp, 1, static_cast<unsigned>(std::max<std::int64_t>(seconds, 1)));
}

}  // namespace

struct ConnectAttempt::State {
  SocketPtr socket;
  std::optional<SocketAddress> peer;
  bool quick_ack;
  Callback done;

  static void on_connect(uv_connect_t* request, int status);
  void finish(int status);
};

void ConnectAttempt::State::finish(int status) {
  const auto call = std::move(done);
  if (status < 0) return call(std::unexpected(-status));
  auto stream = std::make_unique<UvStream>(std::move(socket), peer);
  if (quick_ack) stream->acknowledge_reads();
  call(std::move(stream));
}

void ConnectAttempt::State::on_connect(uv_connect_t* request, int status) {
  void* const owner = request->handle->data;
  delete request;
  if (owner) static_cast<State*>(owner)->finish(status);
}

std::expected<std::unique_ptr<ConnectAttempt>, int> ConnectAttempt::tcp(Loop& loop,
                                                                        const SocketAddress& address,
                                                                        const TcpOptions& options,
                                                                        Callback done) {
  auto socket = make_tcp_socket(loop, address.raw()->sa_family);
  if (!socket) return std::unexpected(socket.error().code);
  uv_tcp_t& tcp = *as_tcp(*socket);
  if (!options.interface.empty())
    if (const int fault = bind_interface(tcp, options.interface)) return std::unexpected(fault);
  if (options.local)
    if (const int fault = bind_local(tcp, *options.local)) return std::unexpected(fault);
  if (options.keep_alive) keep_alive(tcp, *options.keep_alive);
  auto request = std::make_unique<uv_connect_t>();
  if (const int fault = uv_tcp_connect(request.get(), &tcp, address.raw(), &State::on_connect))
    return std::unexpected(-fault);
  static_cast<void>(request.release());  // on_connect() follows, whatever happens
  auto state =
      std::unique_ptr<State>{new State{std::move(*socket), address, options.quick_ack, std::move(done)}};
  state->socket->data = state.get();
  return std::unique_ptr<ConnectAttempt>{new ConnectAttempt{std::move(state)}};
}

std::expected<std::unique_ptr<ConnectAttempt>, int> ConnectAttempt::unix_socket(Loop& loop,
                                                                                const std::string& path,
                                                                                Callback done) {
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return std::unexpected(ENAMETOOLONG);  // libuv would cut it
  SocketPtr socket = make_unix_socket(loop, std::make_shared<const std::string>(path));
  uv_pipe_connect(new uv_connect_t{}, &as_unix(socket)->pipe, path.c_str(), &State::on_connect);
  auto state = std::unique_ptr<State>{new State{std::move(socket), std::nullopt, false, std::move(done)}};
  state->socket->data = state.get();
  return std::unique_ptr<ConnectAttempt>{new ConnectAttempt{std::move(state)}};
}

ConnectAttempt::ConnectAttempt(std::unique_ptr<State> state) : state_{std::move(state)} {}
ConnectAttempt::~ConnectAttempt() = default;

}  // namespace mqtt::net
