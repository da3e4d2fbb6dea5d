#pragma once
#include <cstddef>
#include <cstdint>

#include <mqtt/util/rare.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt {

/// The client's keep-alive (3.1.2.10): PINGREQ after silence in either direction (a peer that is gone
/// shows even while we send), and a deadline for the sign of life that answers it. Any byte received
/// is one, and so is any byte taken from those that wait in front of PINGREQ: behind a long message,
/// ours or the server's, PINGRESP is not late.
class ClientKeepAlive {
 public:
  explicit ClientKeepAlive(Duration ping_timeout) : ping_timeout_{ping_timeout} {}

  /// `seconds` 0 turns it off; pings on request are then still watched.
  void start(TimePoint now, std::uint16_t seconds);
  void stop();

  void sent(TimePoint now) { last_sent_ = now; }
  void received(TimePoint now) { last_received_ = now; }
  /// `bytes` is how many the transport has taken so far.
  void written(TimePoint now, std::uint64_t bytes);
  /// `in_front` bytes wait for the transport before this PINGREQ, which ends at byte `end`.
  void ping_sent(TimePoint now, std::size_t in_front, std::uint64_t end);
  void pong_received();

  /// Nothing is read until resume(): no answer can be seen.
  void pause(TimePoint now);
  void resume(TimePoint now);

  [[nodiscard]] bool ping_due(TimePoint now) const;
  [[nodiscard]] bool timed_out(TimePoint now) const;
  [[nodiscard]] Deadline next_deadline() const;
  [[nodiscard]] std::size_t pings_outstanding() const { return awaited_->pings; }

 private:
  /// While PINGRESP is awaited: a client that is silent for most of a minute needs none of it.
  struct Awaited {
    std::size_t pings = 0;
    TimePoint last_ping{};
    TimePoint last_progress{};
    std::uint64_t written_bytes = 0;
    std::uint64_t ping_end = 0;  // the last PINGREQ is out when so much is; 0: it is
  };

  [[nodiscard]] Duration interval() const { return std::chrono::seconds{interval_s_}; }
  [[nodiscard]] Deadline ping_at() const;
  [[nodiscard]] Deadline timeout_at() const;

  Duration ping_timeout_;
  TimePoint last_sent_{};
  TimePoint last_received_{};
  Rare<Awaited> awaited_;
  std::uint16_t interval_s_ = 0;
  bool running_ = false;
  bool paused_ = false;
};

}  // namespace mqtt
