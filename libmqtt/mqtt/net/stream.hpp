#pragma once
#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

namespace mqtt::net {

class Shortcut;

/// Receives what happens on a ByteStream. Calls come from the loop only, never from inside a call to
/// the stream. Each of them may close or destroy the stream. Nothing follows on_end() or on_error()
/// but on_writable().
class StreamHandler {
 public:
  /// At least one byte; the view is valid during the call.
  virtual void on_data(Bytes bytes) = 0;
  /// Follows each write() that took less than it was offered, also when the next write() will fail; and
  /// shutdown() once all has left, if has_left() was false.
  virtual void on_writable() = 0;
  /// The peer has ended its direction in an orderly way; writing may go on.
  virtual void on_end() = 0;
  /// The stream is broken.
  virtual void on_error(Error error) = 0;
  /// From the stream's shortcut(). All that it sent before has been given to the handler, or holds_input().
  virtual void on_word(std::uint32_t /*word*/, Bytes /*bytes*/) {}

 protected:
  ~StreamHandler() = default;
};

/// What was agreed on; empty where a stream has no such layer.
struct StreamProperties {
  std::string tls_version;       ///< "TLSv1.3"
  std::string tls_cipher;        ///< "TLS_AES_256_GCM_SHA384"
  std::string alpn;              ///< "mqtt"
  std::string peer_certificate;  ///< subject, RFC 2253
  std::string
      peer_common_name;     ///< the subject's first common name, UTF-8; of a client with a PSK, its identity
  std::string subprotocol;  ///< WebSocket: "mqtt"

  bool operator==(const StreamProperties&) const = default;
};

/// Segments that one end of a TCP connection has sent since it began.
struct SegmentCounts {
  std::uint64_t sent = 0;    ///< acknowledgements and those sent again included
  std::uint64_t resent = 0;  ///< because nobody had acknowledged them in time

  bool operator==(const SegmentCounts&) const = default;
};

/// A connected stream of bytes: TCP, a unix socket, TLS or WebSocket over another one. Destroying
/// it is close().
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// Who hears of this stream. Nothing is read before the first handler is set; nullptr suspends.
  virtual void set_handler(StreamHandler* handler) = 0;

  /// Takes as many bytes from the front of `parts` as can leave now, and returns how many; the
  /// caller keeps nothing of them. Fewer than offered means that the peer is slow, and that
  /// on_writable() follows. An error is sticky, but does not end reading: what the peer said last
  /// (why it hung up) is still delivered.
  [[nodiscard]] virtual Result<std::size_t> write(std::span<const iovec> parts) = 0;

  /// on_data(), on_end() and read errors wait until resume_reading(); so does the peer.
  virtual void pause_reading() = 0;
  virtual void resume_reading() = 0;

  /// Orderly end of our direction, after everything that was taken has left: WebSocket close frame,
  /// TLS close_notify, TCP FIN. Reading goes on until on_end(). write() fails from here on.
  virtual void shutdown() = 0;
  /// Whether close() would be that orderly end for the peer, too: all that was taken has left, and all
  /// that came up to now was read, for unread bytes would make it a reset.
  [[nodiscard]] virtual bool may_just_close() const { return false; }
  /// False while bytes that were taken may be on their way to the system: close() would take them back.
  [[nodiscard]] virtual bool has_left() const { return true; }
  /// Bytes that were taken and that the other end's system has not yet acknowledged; 0 where nobody knows.
  [[nodiscard]] virtual std::size_t unacknowledged() const { return 0; }
  /// What the kernel has counted; nothing where there is no TCP.
  [[nodiscard]] virtual std::optional<SegmentCounts> segments() const { return std::nullopt; }
  /// At once, whatever is under way; no callback follows.
  virtual void close() = 0;
  /// As close(), but the peer is told so by a TCP reset (a unix socket just closes).
  virtual void reset() = 0;

  /// The other end for error sentences: "127.0.0.1:1883", "[::1]:1883", "/run/mqtt.sock".
  [[nodiscard]] virtual std::string peer() const = 0;
  [[nodiscard]] virtual StreamProperties properties() const = 0;
  /// Bytes have come that the handler was not given: it has paused reading.
  [[nodiscard]] virtual bool holds_input() const { return false; }
  /// Of a stream that a thread carries, which it was given; null for all others.
  [[nodiscard]] virtual Shortcut* shortcut() const { return nullptr; }
};

}  // namespace mqtt::net
