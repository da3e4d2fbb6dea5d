#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <mqtt/util/time.hpp>

#include "mqbench/histogram.hpp"

namespace mq::bench {

/// Events per second since the common start.
class PerSecond {
 public:
  /// A day: what comes later is counted in the last second.
  static constexpr std::size_t seconds_max = 24 * 3600;

  [[nodiscard]] static std::size_t second_of(mqtt::Duration since_start);
  void note(mqtt::Duration since_start, std::uint64_t count = 1);
  /// Of what was noted.
  void take_back(mqtt::Duration since_start, std::uint64_t count) {
    counts_[second_of(since_start)] -= count;
  }
  void add(const PerSecond& other);
  [[nodiscard]] const std::vector<std::uint64_t>& counts() const { return counts_; }

 private:
  std::vector<std::uint64_t> counts_;
};

/// What one worker has seen; those of all workers are added up at the end.
struct Measurements {
  // Of messages that were due in the measured time.
  Histogram due_to_received;
  Histogram sent_to_received;
  Histogram lag;  ///< of an open loop, due to sent: handed to the kernel at the end of that turn of the loop
  Histogram ack;  ///< sent to the last acknowledgement, QoS 1 and 2

  // The way to a connection, step by step. A retry with an older version counts each of them again.
  Histogram tcp;        ///< or a unix socket: lookup, connect() and the proxy
  Histogram tls;        ///< the handshake
  Histogram websocket;  ///< the upgrade
  Histogram connack;    ///< from there to CONNACK
  Histogram connect;    ///< all of it
  Histogram subscribe;  ///< from SUBSCRIBE to SUBACK
  Histogram unsubscribe;

  Histogram catch_up;     ///< from when what was kept for a subscriber could come to its last message
  Histogram undisturbed;  ///< latency, before the slow readers stop reading
  Histogram disturbed;    ///< and while they do not

  std::uint64_t sent = 0;
  std::uint64_t unsent = 0;  ///< due and never sent
  std::uint64_t held = 0;    ///< could not be sent when it was due: the window or the socket was full
  std::uint64_t sending_turns =
      0;  ///< in which a schedule had something to send: sent by that is a micro-burst
  /// Bytes that the other end's kernel had not acknowledged when publishing was over: what is counted as
  /// sent, and nobody has.
  std::uint64_t unsent_bytes = 0;
  std::uint64_t acked = 0;
  std::uint64_t rejected = 0;
  std::uint64_t unacked = 0;
  std::uint64_t expected = 0;  ///< deliveries of what was sent
  std::uint64_t received = 0;  ///< deliveries of this run, duplicates included
  std::uint64_t lost = 0;
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t foreign = 0;   ///< of others, or of an earlier run
  std::uint64_t retained = 0;  ///< with the retain flag
  std::uint64_t connections_lost = 0;
  std::uint64_t slow_lost = 0;                    ///< of those that had stopped reading
  std::map<std::string, std::uint64_t> refusals;  ///< operations that failed, by reason
  PerSecond sent_per_second;
  PerSecond received_per_second;
  PerSecond due_per_second;   ///< deliveries of what was sent, by when the message was due
  PerSecond came_per_second;  ///< of them, those that came
  mqtt::Deadline came_back;   ///< the first subscriber for whom messages had been kept
  mqtt::Deadline first_due;
  mqtt::Deadline last_sent;
  mqtt::Deadline last_received;

  void add(const Measurements& other);
};

}  // namespace mq::bench
