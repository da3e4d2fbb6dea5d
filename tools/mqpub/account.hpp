#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <mqtt/codec/reason.hpp>
#include <mqtt/codec/types.hpp>

namespace mq {

/// What became of the messages: everything that was sent and not rejected is acked or in flight.
class Account {
 public:
  /// QoS 0 has no id and is done when sent.
  void sent(mqtt::PacketId id, std::size_t payload_bytes);
  void answered(mqtt::PacketId id, mqtt::ReasonCode reason);
  /// A message that was refused before it was sent.
  void refused_here() { ++rejected_; }

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t acked() const { return acked_; }
  [[nodiscard]] std::uint64_t rejected() const { return rejected_; }
  [[nodiscard]] std::uint64_t unacked() const { return in_flight_; }
  /// Whether messages were sent that nobody acknowledges.
  [[nodiscard]] bool sent_at_qos_0() const { return qos_0_; }
  /// Payload bytes that wait for an answer: what bounds memory where messages are large.
  [[nodiscard]] std::uint64_t in_flight_bytes() const { return in_flight_bytes_; }

  /// "sent 10, acked 8, rejected 1, unacked 1"
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::uint32_t> bytes_by_id_;
  std::uint64_t sent_ = 0;
  std::uint64_t acked_ = 0;
  std::uint64_t rejected_ = 0;
  std::uint64_t in_flight_ = 0;
  std::uint64_t in_flight_bytes_ = 0;
  bool qos_0_ = false;
};

}  // namespace mq
