#pragma once
#include <expected>
#include <optional>
#include <vector>

#include <mqtt/codec/decode_error.hpp>
#include <mqtt/codec/types.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/rare.hpp>

namespace mqtt {

/// One whole packet as received.
struct Frame {
  Bytes bytes;                   ///< fixed header and body
  std::uint8_t header_size = 0;  ///< bytes of the fixed header: 2 to 5

  [[nodiscard]] std::uint8_t first_byte() const { return bytes[0]; }
  [[nodiscard]] std::uint8_t type() const { return bytes[0] >> 4; }
  [[nodiscard]] Bytes body() const { return bytes.subspan(header_size); }
};

/// Cuts a byte stream into packets. Whole packets stay where they are; only the tail of a cut one is
/// carried over, into a buffer that grows with what arrives, not with what the header promises.
class Framer {
 public:
  explicit Framer(std::uint32_t max_packet_size = packet_size_max) : max_packet_size_{max_packet_size} {}

  /// Takes bytes from the front of `input`. Returns the next packet, or nothing once `input` is used
  /// up. The frame is valid until the next call and while the input's memory is. After an error the
  /// stream cannot be resumed. Errors: malformed Variable Byte Integer (MQTT-1.5.5-1), a packet above
  /// the limit (packet_too_large), reported as soon as the fixed header is there, before buffering.
  [[nodiscard]] std::expected<std::optional<Frame>, DecodeError> next(Bytes& input);

  void set_max_packet_size(std::uint32_t size) { max_packet_size_ = size; }
  /// The frame last returned is not needed any more.
  void let_go() {
    if (carry_done_) reset();
  }
  /// Forgets a cut packet: for the next connection.
  void reset();
  /// Bytes of an incomplete packet held over.
  [[nodiscard]] std::size_t held() const { return carry_done_ ? 0 : carry_->size(); }
  /// They themselves; valid until the next call.
  [[nodiscard]] Bytes held_bytes() const { return Bytes{*carry_}.first(held()); }

 private:
  struct Header {
    std::uint8_t size;
    std::uint32_t packet_size;
  };

  [[nodiscard]] std::expected<std::optional<Header>, DecodeError> read_header(Bytes start) const;
  [[nodiscard]] std::expected<std::optional<Frame>, DecodeError> next_from_carry(Bytes& input);
  void carry(Bytes& input, std::size_t size);

  std::uint32_t max_packet_size_;
  bool carry_done_ = false;  // the frame last returned lies in carry_
  Rare<std::vector<std::uint8_t>> carry_;
};

}  // namespace mqtt
