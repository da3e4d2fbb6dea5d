#include <mqtt/net/uv_stream.hpp>

#include <fmt/format.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include <mqtt/net/tcp_info.hpp>
#include <mqtt/net/uv_handle.hpp>

namespace mqtt::net {
namespace {

// libuv promises that its buffers can be passed for iovecs on unix.
static_assert(sizeof(uv_buf_t) == sizeof(iovec) && offsetof(uv_buf_t, base) == offsetof(iovec, iov_base) &&
              offsetof(uv_buf_t, len) == offsetof(iovec, iov_len));

Loop& loop_of(const uv_stream_t& socket) { return *static_cast<Loop*>(socket.loop->data); }

int try_write(uv_stream_t* socket, std::span<const iovec> parts) {
  const int taken = uv_try_write(socket, reinterpret_cast<const uv_buf_t*>(parts.data()),
                                 static_cast<unsigned>(parts.size()));
  return taken == UV_EAGAIN ? 0 : taken;
}

/// -1 once libuv has closed it.
int descriptor_of(const uv_stream_t* socket) {
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<const uv_handle_t*>(socket), &fd);
  return fd;
}

/// libuv calls it an end of file when a reset comes right behind the last bytes; the socket knows better.
int pending_error(const uv_stream_t* socket) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(descriptor_of(socket), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

}  // namespace

void CloseSocket::operator()(uv_stream_t* socket) const {
  socket->data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(socket), [](uv_handle_t* handle) {
    if (handle->type == UV_TCP)
      delete reinterpret_cast<uv_tcp_t*>(handle);
    else
      delete reinterpret_cast<UnixSocket*>(handle);
  });
}

uv_tcp_t* as_tcp(const SocketPtr& socket) { return reinterpret_cast<uv_tcp_t*>(socket.get()); }
UnixSocket* as_unix(const SocketPtr& socket) { return reinterpret_cast<UnixSocket*>(socket.get()); }

Result<SocketPtr> make_tcp_socket(Loop& loop, int family) {
  auto socket = std::make_unique<uv_tcp_t>();
  const int fault = uv_tcp_init_ex(loop.handle(), socket.get(), static_cast<unsigned>(family));
  if (fault) return std::unexpected(system_error(-fault, "cannot make a socket"));
  uv_tcp_nodelay(socket.get(), 1);  // we gather writes ourselves
  return SocketPtr{reinterpret_cast<uv_stream_t*>(socket.release())};
}

SocketPtr make_unix_socket(Loop& loop, std::shared_ptr<const std::string> path) {
  auto socket = std::make_unique<UnixSocket>();
  uv_pipe_init(loop.handle(), &socket->pipe, 0);
  socket->path = std::move(path);
  return SocketPtr{reinterpret_cast<uv_stream_t*>(&socket.release()->pipe)};
}

Result<SocketPtr> adopt_tcp_socket(Loop& loop, OwnedFd fd) {
  auto socket = std::make_unique<uv_tcp_t>();
  uv_tcp_init(loop.handle(), socket.get());
  SocketPtr made{reinterpret_cast<uv_stream_t*>(socket.release())};
  if (const int fault = uv_tcp_open(as_tcp(made), fd.get()))
    return std::unexpected(system_error(-fault, "cannot use a socket"));
  static_cast<void>(fd.release());
  return made;
}

Result<SocketPtr> adopt_unix_socket(Loop& loop, OwnedFd fd, std::shared_ptr<const std::string> path) {
  SocketPtr made = make_unix_socket(loop, std::move(path));
  if (const int fault = uv_pipe_open(&as_unix(made)->pipe, fd.get()))
    return std::unexpected(system_error(-fault, "cannot use a socket"));
  static_cast<void>(fd.release());
  return made;
}

// When the kernel takes only a part of a write, one block of the rest is copied and handed to libuv
// as a queued write; its completion is the sign that the socket is writable again. This needs
// neither a second descriptor nor two watchers on one, and costs a copy only when a peer is slow.
struct UvStream::Overflow {
  uv_write_t request{};
  uv_stream_t* socket;
  ChunkPool::Block block;
};

UvStream::UvStream(SocketPtr socket, std::optional<SocketAddress> peer) : socket_{std::move(socket)} {
  if (peer) peer_ = *peer;
  socket_->data = this;
}

std::string UvStream::peer() const {
  if (peer_.raw()->sa_family != AF_UNSPEC) return peer_.text();
  return socket_ ? *as_unix(socket_)->path : "a unix socket";
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
    uv_read_stop(socket_.get());
    return;
  }
  const auto lend_buffer = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
    const MutableBytes shared = static_cast<Loop*>(handle->loop->data)->read_buffer();
    *buffer = uv_buf_init(reinterpret_cast<char*>(shared.data()), static_cast<unsigned>(shared.size()));
  };
  uv_read_start(socket_.get(), lend_buffer, [](uv_stream_t* stream, ssize_t size, const uv_buf_t*) {
    if (size == 0) return loop_of(*stream).note_read(stream, 0);  // all was read
    if (stream->data) static_cast<UvStream*>(stream->data)->on_read(size);
  });
}

void UvStream::on_read(ssize_t size) {
  if (size > 0) {
    const auto count = static_cast<std::size_t>(size);
    const MutableBytes buffer = loop_of(*socket_).read_buffer();
    drained_ = count < buffer.size();
    loop_of(*socket_).note_read(socket_.get(), count);
    if (acknowledges_reads_) acknowledge_now(descriptor_of(socket_.get()));
    return handler_->on_data(Bytes{buffer}.first(count));
  }
  read_over_ = true;
  drained_ = size == UV_EOF;
  follow_reading();
  int fault = size == UV_EOF ? 0 : static_cast<int>(-size);
  if (size == UV_EOF && !shut_down_) fault = pending_error(socket_.get());
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
  const int taken = try_write(socket_.get(), parts);
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
  auto* overflow = new Overflow{{}, socket_.get(), loop_of(*socket_).chunks().take(ChunkPool::chunk_bytes)};
  const std::size_t size = rest.copy_to({overflow->block.get(), ChunkPool::chunk_bytes});
  const uv_buf_t buffer =
      uv_buf_init(reinterpret_cast<char*>(overflow->block.get()), static_cast<unsigned>(size));
  overflow->request.data = overflow;
  const auto done = [](uv_write_t* request, int status) {
    const std::unique_ptr<Overflow> written{static_cast<Overflow*>(request->data)};
    uv_stream_t& socket = *written->socket;
    loop_of(socket).chunks().give_back(std::move(written->block), ChunkPool::chunk_bytes);
    if (socket.data) static_cast<UvStream*>(socket.data)->on_overflow_written(status);
  };
  const int fault = uv_write(&overflow->request, socket_.get(), &buffer, 1, done);
  if (fault) {  // no callback follows
    loop_of(*socket_).chunks().give_back(std::move(overflow->block), ChunkPool::chunk_bytes);
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
  const int fault = uv_shutdown(request, socket_.get(), [](uv_shutdown_t* done, int) { delete done; });
  if (fault) delete request;  // the connection is broken already; reading tells
}

std::size_t UvStream::unacknowledged() const {
  int bytes = 0;
  if (!socket_) return 0;
  return ioctl(descriptor_of(socket_.get()), SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

std::optional<SegmentCounts> UvStream::segments() const {
  return socket_ ? count_segments(descriptor_of(socket_.get())) : std::nullopt;
}

void UvStream::close() {
  handler_ = nullptr;
  socket_.reset();
  reading_ = false;
}

void UvStream::reset() {
  if (socket_) {
    constexpr linger discard{.l_onoff = 1, .l_linger = 0};  // close() then sends RST
    setsockopt(descriptor_of(socket_.get()), SOL_SOCKET, SO_LINGER, &discard, sizeof discard);
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
