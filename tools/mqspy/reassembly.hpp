#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "mqspy/layers.hpp"

namespace mq::spy {

/// What comes out of one direction of a connection, in order.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  /// `side`: 0 is that of the connection's first segment.
  virtual void on_bytes(unsigned side, mqtt::TimePoint time, mqtt::Bytes bytes) = 0;
  /// Bytes were not captured here.
  virtual void on_missing(unsigned side, mqtt::TimePoint time, std::uint64_t bytes) = 0;
};

/// Puts the segments of one direction in order: what was captured first counts, and what is missing is given
/// up once its receiver has acknowledged what lies behind it, or too much waits for it.
class StreamOrder {
 public:
  /// What waits for a missing segment.
  static constexpr std::size_t waiting_max_bytes = 1024 * 1024;

  /// Where the first byte will be.
  void begin(std::uint32_t sequence) { next_ = one_turn + sequence; }
  [[nodiscard]] bool began() const { return next_.has_value(); }
  void add(unsigned side, const TcpSegment& segment, StreamHandler& handler);
  /// The receiver has everything before `sequence`.
  void acknowledge(unsigned side, mqtt::TimePoint time, std::uint32_t sequence, StreamHandler& handler);
  /// Nothing more comes: what is missing is given up.
  void finish(unsigned side, mqtt::TimePoint time, StreamHandler& handler);

  /// All bytes before FIN have been handed over.
  [[nodiscard]] bool ended() const { return fin_ && next_ && *next_ >= *fin_; }
  [[nodiscard]] std::size_t waiting_bytes() const { return waiting_bytes_; }

 private:
  [[nodiscard]] std::uint64_t place_of(std::uint32_t sequence) const;
  void hold(std::uint64_t at, mqtt::TimePoint time, mqtt::Bytes bytes);
  void hand_over_waiting(unsigned side, StreamHandler& handler);
  void give_up(unsigned side, mqtt::TimePoint time, StreamHandler& handler);

  struct Waiting {
    mqtt::TimePoint time;
    std::vector<std::uint8_t> bytes;
  };

  // So that a repetition of what was before the first segment is not below 0.
  static constexpr std::uint64_t one_turn = std::uint64_t{1} << 32;

  // Sequence numbers without their turning over: the low half is what TCP writes.
  std::optional<std::uint64_t> next_;
  std::optional<std::uint64_t> fin_;
  std::uint64_t acknowledged_ = 0;
  std::map<std::uint64_t, Waiting> waiting_;  // without overlap
  std::size_t waiting_bytes_ = 0;
};

}  // namespace mq::spy
