#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include <mqtt/net/filter_stream.hpp>
#include <mqtt/net/parts.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/chunk.hpp>

struct wslay_frame_context;
struct wslay_frame_iocb;

namespace mqtt::net {

enum class WsRole : std::uint8_t { client, server };
enum class WsOpcode : std::uint8_t { binary = 2, close = 8, ping = 9, pong = 10 };

/// Status codes of RFC 6455 section 7.4.1 that are sent or tested by name.
namespace ws_close {
inline constexpr std::uint16_t normal = 1000, going_away = 1001, protocol_error = 1002,
                               unsupported_data = 1003, no_status = 1005, invalid_payload = 1007;
}

/// What has come in.
struct WsEvent {
  enum class Kind : std::uint8_t {
    need_more,  ///< the intake is used up
    data,       ///< some bytes of a binary message
    ping,       ///< with its whole payload
    close,      ///< code (1005 if there was none) and reason
    violation,  ///< code to close with, and what is wrong
    skipped,    ///< nothing of interest (a pong, the end of an empty frame)
  };
  Kind kind = Kind::need_more;
  Bytes bytes;  ///< valid until the next call
  std::uint16_t code = 0;
  std::string text;
};

/// Frames of one connection, both ways. Incoming payload is passed on as it arrives: no message and
/// no frame is ever assembled, except control frames, which have at most 125 bytes.
class WsFrames {
 public:
  explicit WsFrames(WsRole role);
  ~WsFrames();
  WsFrames(const WsFrames&) = delete;
  WsFrames& operator=(const WsFrames&) = delete;

  /// The next event; not to be called again after a violation or a close.
  [[nodiscard]] WsEvent next(Intake& intake);

  /// Appends one whole frame with the next `size` bytes of `payload`.
  void encode(OutBuffer& out, WsOpcode opcode, Parts& payload, std::size_t size);
  void encode(OutBuffer& out, WsOpcode opcode, Bytes payload);
  void encode_close(OutBuffer& out, std::uint16_t code);

 private:
  static constexpr std::size_t control_max_bytes = 125;

  [[nodiscard]] WsEvent begin_frame(const wslay_frame_iocb& frame);
  [[nodiscard]] WsEvent on_control(const wslay_frame_iocb& frame);

  wslay_frame_context* context_ = nullptr;
  Intake* intake_ = nullptr;  // during next()
  OutBuffer* out_ = nullptr;  // during encode()
  WsRole role_;
  bool in_frame_ = false;
  bool in_message_ = false;
  std::uint64_t frame_left_ = 0;
  std::size_t control_size_ = 0;
  std::array<std::uint8_t, control_max_bytes> control_{};
};

/// The event for a close frame's payload.
[[nodiscard]] WsEvent parse_close(Bytes payload);

/// "1002 (protocol error)"
[[nodiscard]] std::string describe_close_code(std::uint16_t code);

}  // namespace mqtt::net
