#pragma once
#include <uv.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <mqtt/net/address.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/owned_fd.hpp>
#include <mqtt/net/parts.hpp>
#include <mqtt/net/stream.hpp>

namespace mqtt::net {

/// A TCP or unix socket of libuv, whose `data` is its owner: null when nobody listens any more, for it
/// outlives that until libuv has closed it.
struct CloseSocket {
  void operator()(uv_stream_t* socket) const;
};
using SocketPtr = std::unique_ptr<uv_stream_t, CloseSocket>;

struct UnixSocket {
  uv_pipe_t pipe{};
  std::shared_ptr<const std::string> path{};  // that connections share
};
[[nodiscard]] uv_tcp_t* as_tcp(const SocketPtr& socket);
[[nodiscard]] UnixSocket* as_unix(const SocketPtr& socket);

/// TCP without delay. `family` is AF_INET or AF_INET6 to have a descriptor at once, or AF_UNSPEC.
[[nodiscard]] Result<SocketPtr> make_tcp_socket(Loop& loop, int family);
[[nodiscard]] SocketPtr make_unix_socket(Loop& loop, std::shared_ptr<const std::string> path);
/// Takes over a connected socket that does not block.
[[nodiscard]] Result<SocketPtr> adopt_tcp_socket(Loop& loop, OwnedFd fd);
[[nodiscard]] Result<SocketPtr> adopt_unix_socket(Loop& loop, OwnedFd fd,
                                                  std::shared_ptr<const std::string> path);

/// A connected socket as a stream.
class UvStream final : public ByteStream {
 public:
  /// `peer` is a TCP connection's other end. It is kept, for a socket no longer knows it when there is an
  /// error to report, but put into words only then.
  explicit UvStream(SocketPtr socket, std::optional<SocketAddress> peer = std::nullopt);

  /// From now on each read is acknowledged at once, for a peer that waits for that before it sends more.
  void acknowledge_reads() { acknowledges_reads_ = true; }

  void set_handler(StreamHandler* handler) override;
  Result<std::size_t> write(std::span<const iovec> parts) override;
  void pause_reading() override;
  void resume_reading() override;
  void shutdown() override;
  bool may_just_close() const override { return drained_ && !overflow_under_way_; }
  std::size_t unacknowledged() const override;
  std::optional<SegmentCounts> segments() const override;
  void close() override;
  void reset() override;
  std::string peer() const override;
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
  StreamHandler* handler_ = nullptr;
  SocketAddress peer_;            // of TCP
  std::int16_t write_fault_ = 0;  // errno of the first failed write
  bool paused_ : 1 = false;
  bool reading_ : 1 = false;
  bool read_over_ : 1 = false;
  bool drained_ : 1 = false;  // the last read took all that was there
  bool overflow_under_way_ : 1 = false;
  bool owes_writable_ : 1 = false;
  bool shut_down_ : 1 = false;
  bool acknowledges_reads_ : 1 = false;
};

}  // namespace mqtt::net
