#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <mqtt/util/bytes.hpp>
#include <mqtt/util/rare.hpp>

namespace mqtt::server {

/// Cuts what a client sends into QoS 0 messages that could be routed at once and all that is for the broker,
/// which judges it: here nothing is refused. What comes out is what went in, in the same order.
class Sieve {
 public:
  enum class Kind : std::uint8_t {
    nothing,  ///< the input is used up
    other,    ///< bytes for the broker: a packet or a part of one
    message,  ///< a whole PUBLISH of QoS 0, neither retained nor repeated
  };
  /// Which messages that follow must not overtake it.
  enum class Order : std::uint8_t { none, of_topic, all };
  struct Piece {
    Kind kind = Kind::nothing;
    Bytes bytes{};
    Order order = Order::none;
    /// `bytes` lie in the sieve, until the next call; otherwise in the input.
    bool copied = false;
    std::string_view topic{};  ///< of a PUBLISH, if it has one; it need not be valid
    Bytes rest{};              ///< of a message, behind the topic: at 5.0 the properties, then the payload
  };

  /// Takes the next piece from the front of `input`. A message that is cut waits for its rest if the whole
  /// packet has at most `kept_max` bytes; larger ones are for the broker.
  [[nodiscard]] Piece next(Bytes& input, std::size_t kept_max);
  [[nodiscard]] bool keeps() const { return !given_ && !kept_->empty(); }
  /// What waits, for whoever expects no rest. It is forgotten here.
  [[nodiscard]] std::vector<std::uint8_t> take_kept();

 private:
  [[nodiscard]] Piece next_of_kept(Bytes& input, std::size_t kept_max);
  [[nodiscard]] Piece give_kept();
  [[nodiscard]] static Piece judge(Bytes start, bool whole);

  Rare<std::vector<std::uint8_t>> kept_;  // the beginning of a packet, or, given_, what next() gave last
  std::size_t passing_ = 0;               // bytes of a packet that is not looked at, still to come
  bool given_ = false;
  bool lost_ = false;  // no packet begins where one should: the broker sees it, too
};

/// A message as it is routed: nothing but an empty list of properties is between topic and payload, or
/// nothing.
struct PlainMessage {
  PlainMessage(Bytes packet, bool has_properties);

  Bytes topic;  ///< with its length in front
  Bytes payload;
};

/// Finds where packets end in a stream of valid ones.
class PacketEnds {
 public:
  /// How many bytes from the front of `bytes`, which continue those of the last call, belong to one packet.
  std::size_t next(Bytes bytes);
  [[nodiscard]] bool at_end() const { return header_bytes_ == 0 && left_ == 0; }
  /// Of the packet that ends, or under way.
  [[nodiscard]] std::uint8_t first_byte() const { return first_byte_; }

 private:
  std::uint32_t left_ = 0;  // of its body; in the header: the length as far as it is known
  std::uint8_t header_bytes_ = 0;
  std::uint8_t first_byte_ = 0;
};

}  // namespace mqtt::server
