#pragma once
#include <uv.h>

#include <memory>
#include <string>
#include <variant>

#include <mqtt/net/address.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/owned_fd.hpp>
#include <mqtt/net/parts.hpp>
#include <mqtt/net/stream.hpp>

namespace mqtt::net {

/// A TCP or unix socket's libuv side. It outlives its owner until libuv has closed it, so `owner` is
/// null when nobody listens any more.
struct Socket {
  union Handle {
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
    void* data;  // where every libuv handle keeps its user's pointer
  } handle{};
  Loop* loop;
  void* owner = nullptr;
  std::unique_ptr<uv_connect_t> connect;  // while connecting

  explicit Socket(Loop& l) : loop{&l} {}
};

struct CloseSocket {
  void operator()(Socket* socket) const;
};
using SocketPtr = std::unique_ptr<Socket, CloseSocket>;

/// TCP without delay. `family` is AF_INET or AF_INET6 to have a descriptor at once, or AF_UNSPEC.
[[nodiscard]] Result<SocketPtr> make_tcp_socket(Loop& loop, int family);
[[nodiscard]] SocketPtr make_unix_socket(Loop& loop);
/// Takes over a connected socket that does not block.
[[nodiscard]] Result<SocketPtr> adopt_tcp_socket(Loop& loop, OwnedFd fd);
[[nodiscard]] Result<SocketPtr> adopt_unix_socket(Loop& loop, OwnedFd fd);

/// The other end: its address, or the path that connections to a unix socket share. It is kept, for a
/// socket no longer knows its peer when there is an error to report, but put into words only then.
using Peer = std::variant<SocketAddress, std::shared_ptr<const std::string>>;
[[nodiscard]] std::string peer_text(const Peer& peer);

/// A connected socket as a stream.
class UvStream final : public ByteStream {
 public:
  UvStream(SocketPtr socket, Peer peer);

  void set_handler(StreamHandler* handler) override;
  Result<std::size_t> write(std::span<const iovec> parts) override;
  void pause_reading() override;
  void resume_reading() override;
  void shutdown() override;
  void close() override;
  void reset() override;
  std::string peer() const override { return peer_text(peer_); }
  StreamProperties properties() const override { return {}; }

 private:
  struct Overflow;

  void follow_reading();
  void on_read(ssize_t size);
  std::size_t queue_overflow(Parts& rest);
  void on_overflow_written(int status);
  Error read_error(int code) const;
  Error write_error(int code) const;

  SocketPtr socket_;
  Peer peer_;
  StreamHandler* handler_ = nullptr;
  int write_fault_ = 0;  // errno of the first failed write
  bool paused_ = false;
  bool reading_ = false;
  bool read_over_ = false;
  bool overflow_under_way_ = false;
  bool owes_writable_ = false;
  bool shut_down_ = false;
};

}  // namespace mqtt::net
