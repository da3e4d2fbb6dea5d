#include <mqtt/net/uv_stream.hpp>

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include <mqtt/net/uv_handle.hpp>

namespace mqtt::net {
namespace {

// libuv promises that its buffers can be passed for iovecs on unix.
static_assert(sizeof(uv_buf_t) == sizeof(iovec) && offsetof(uv_buf_t, base) == offsetof(iovec, iov_base) &&
              offsetof(uv_buf_t, len) == offsetof(iovec, iov_len));

int try_write(Socket& socket, std::span<const iovec> parts) {
  const int taken = uv_try_write(socket.handle, reinterpret_cast<const uv_buf_t*>(parts.data()),
                                 static_cast<unsigned>(parts.size()));
  return taken == UV_EAGAIN ? 0 : taken;
}

/// libuv calls it an end of file when a reset comes right behind the last octets; the socket knows better.
int pending_error(const Socket& socket) {
  uv_os_fd_t fd = -1;
  int error = 0;
  socklen_t size = sizeof error;
  if (uv_fileno(reinterpret_cast<const uv_handle_t*>(socket.handle), &fd) != 0) return 0;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace

void CloseSocket::operator()(Socket* socket) const {
  socket->owner = nullptr;
  socket->handle->data = socket;
  uv_close(reinterpret_cast<uv_handle_t*>(socket->handle), [](uv_handle_t* handle) {
    auto* const closed = static_cast<Socket*>(handle->data);
    if (handle->type == UV_TCP)
      delete static_cast<TcpSocket*>(closed);
    else
      delete static_cast<UnixSocket*>(closed);
  });
}

Result<SocketPtr> make_tcp_socket(Loop& loop, int family) {
  auto socket = std::make_unique<TcpSocket>();
  const int fault = uv_tcp_init_ex(loop.handle(), &socket->tcp, static_cast<unsigned>(family));
  if (fault) return std::unexpected(system_error(-fault, "cannot make a socket"));
  socket->tcp.data = socket.get();
  uv_tcp_nodelay(&socket->tcp, 1);  // we gather writes ourselves
  return SocketPtr{socket.release()};
}

SocketPtr make_unix_socket(Loop& loop, std::shared_ptr<const std::string> path) {
  auto socket = std::make_unique<UnixSocket>();
  uv_pipe_init(loop.handle(), &socket->pipe, 0);
  socket->pipe.data = socket.get();
  socket->path = std::move(path);
  return SocketPtr{socket.release()};
}

Result<SocketPtr> adopt_tcp_socket(Loop& loop, OwnedFd fd) {
  auto socket = std::make_unique<TcpSocket>();
  uv_tcp_init(loop.handle(), &socket->tcp);
  socket->tcp.data = socket.get();
  uv_tcp_t* const tcp = &socket->tcp;
  SocketPtr made{socket.release()};
  if (const int fault = uv_tcp_open(tcp, fd.get()))
    return std::unexpected(system_error(-fault, "cannot use a socket"));
  static_cast<void>(fd.release());
  return made;
}

Result<SocketPtr> adopt_unix_socket(Loop& loop, OwnedFd fd, std::shared_ptr<const std::string> path) {
  SocketPtr made = make_unix_socket(loop, std::move(path));
  if (const int fault = uv_pipe_open(&static_cast<UnixSocket&>(*made).pipe, fd.get()))
    return std::unexpected(system_error(-fault, "cannot use a socket"));
  static_cast<void>(fd.release());
  return made;
}

// When the kernel takes only a part of a write, one block of the rest is copied and handed to libuv
// as a queued write; its completion is the sign that the socket is writable again. This needs
// neither a second descriptor nor two watchers on one, and costs a copy only when a peer is slow.
struct UvStream::Overflow {
  uv_write_t request{};
  Socket* socket;
  ChunkPool::Block block;
};

UvStream::UvStream(SocketPtr socket, std::optional<SocketAddress> peer) : socket_{std::move(socket)} {
  if (peer) peer_ = *peer;
  socket_->owner = this;
}

std::string UvStream::peer() const {
  if (peer_.raw()->sa_family != AF_UNSPEC) return peer_.text();
  return socket_ ? *static_cast<const UnixSocket&>(*socket_).path : "a unix socket";
}

void UvStream::set_handler(StreamHandler* handler) {
  handler_ = handler;
  follow_reading();
}

void UvStream::pause_reading() {
  paused_ = true;
  follow_reading();
}

void UvStream::resume_reading() {
  paused_ = false;
  follow_reading();
}

void UvStream::follow_reading() {
  const bool wanted = handler_ && !paused_ && !read_over_ && socket_;
  if (wanted == reading_) return;
  reading_ = wanted;
  if (!socket_) return;
  if (!wanted) {
    uv_read_stop(socket_->handle);
    return;
  }
  const auto lend_buffer = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    const MutableBytes shared = static_cast<Socket*>(handle->data)->loop().read_buffer();
    *buffer = uv_buf_init(reinterpret_cast<char*>(shared.data()), static_cast<unsigned>(shared.size()));
  };
  uv_read_start(socket_->handle, lend_buffer, [](uv_stream_t* stream, ssize_t size, const uv_buf_t*) {
    const auto* socket = static_cast<Socket*>(stream->data);
    if (socket->owner && size != 0) static_cast<UvStream*>(socket->owner)->on_read(size);
  });
}

void UvStream::on_read(ssize_t size) {
  if (size > 0) {
    const auto count = static_cast<std::size_t>(size);
    socket_->loop().note_read(count);
    return handler_->on_data(Bytes{socket_->loop().read_buffer()}.first(count));
  }
  read_over_ = true;
  follow_reading();
  const int fault = size == UV_EOF ? pending_error(*socket_) : static_cast<int>(-size);
  if (fault == 0) return handler_->on_end();
  handler_->on_error(read_error(fault));
}

Result<std::size_t> UvStream::write(std::span<const iovec> parts) {
  if (write_fault_ != 0) return std::unexpected(write_error(write_fault_));
  if (!socket_ || shut_down_) return fail(ErrorDomain::system, EPIPE, "the connection is closed");
  Parts rest{parts};
  const std::size_t offered = rest.left();
  if (offered == 0) return 0;
  if (overflow_under_way_) {
    owes_writable_ = true;
    return 0;
  }
  const int taken = try_write(*socket_, parts);
  if (taken < 0) {
    write_fault_ = static_cast<std::int16_t>(-taken);
    return std::unexpected(write_error(write_fault_));
  }
  const auto size = static_cast<std::size_t>(taken);
  if (size == offered) return size;
  rest.skip(size);
  const std::size_t total = size + queue_overflow(rest);
  if (write_fault_ != 0) return std::unexpected(write_error(write_fault_));
  owes_writable_ = total < offered;
  return total;
}

std::size_t UvStream::queue_overflow(Parts& rest) {
  auto* overflow = new Overflow{{}, socket_.get(), socket_->loop().chunks().take(ChunkPool::chunk_bytes)};
  const std::size_t size = rest.copy_to({overflow->block.get(), ChunkPool::chunk_bytes});
  const uv_buf_t buffer =
      uv_buf_init(reinterpret_cast<char*>(overflow->block.get()), static_cast<unsigned>(size));
  overflow->request.data = overflow;
  const auto done = [](uv_write_t* request, int status) {
    const std::unique_ptr<Overflow> written{static_cast<Overflow*>(request->data)};
    Socket& socket = *written->socket;
    socket.loop().chunks().give_back(std::move(written->block), ChunkPool::chunk_bytes);
    if (socket.owner) static_cast<UvStream*>(socket.owner)->on_overflow_written(status);
  };
  const int fault = uv_write(&overflow->request, socket_->handle, &buffer, 1, done);
  if (fault) {  // no callback follows
    socket_->loop().chunks().give_back(std::move(overflow->block), ChunkPool::chunk_bytes);
    delete overflow;
    write_fault_ = static_cast<std::int16_t>(-fault);
    return 0;
  }
  overflow_under_way_ = true;
  return size;
}

void UvStream::on_overflow_written(int status) {
  overflow_under_way_ = false;
  if (status < 0) write_fault_ = static_cast<std::int16_t>(-status);
  if (!handler_ || !owes_writable_) return;
  owes_writable_ = false;
  handler_->on_writable();
}

void UvStream::shutdown() {
  if (!socket_ || shut_down_) return;
  shut_down_ = true;
  auto* request = new uv_shutdown_t{};
  const int fault = uv_shutdown(request, socket_->handle, [](uv_shutdown_t* done, int) { delete done; });
  if (fault) delete request;  // the connection is broken already; reading tells
}

void UvStream::close() {
  handler_ = nullptr;
  socket_.reset();
  reading_ = false;
}

void UvStream::reset() {
  uv_os_fd_t fd = -1;
  if (socket_ && uv_fileno(reinterpret_cast<uv_handle_t*>(socket_->handle), &fd) == 0) {
    constexpr linger discard{.l_onoff = 1, .l_linger = 0};  // close() then sends RST
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &discard, sizeof discard);
  }
  close();
}

Error UvStream::read_error(int code) const {
  if (code == ECONNRESET) return {ErrorDomain::system, code, fmt::format("connection reset by {}", peer())};
  if (code == ETIMEDOUT)
    return {ErrorDomain::system, code, fmt::format("connection to {} timed out", peer())};
  return system_error(code, fmt::format("cannot read from {}", peer()));
}

Error UvStream::write_error(int code) const {
  if (code == EPIPE) return {ErrorDomain::system, code, fmt::format("connection closed by {}", peer())};
  if (code == ECONNRESET) return {ErrorDomain::system, code, fmt::format("connection reset by {}", peer())};
  return system_error(code, fmt::format("cannot write to {}", peer()));
}

}  // namespace mqtt::net
