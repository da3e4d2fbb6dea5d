#pragma once
#include <vector>

#include "session.hpp"

namespace load {

/// Publishes at one QoS with a window of unacknowledged messages.
class Publisher : public Session {
 public:
  /// `window` is capped by the broker's Receive Maximum; QoS 0 has none.
  Publisher(Loop& loop, ConnectOptions options, std::uint32_t number, mqtt::QoS qos, std::uint32_t window);

  [[nodiscard]] bool can_publish();
  /// The next number goes out; its stamp says now.
  void publish(const PublishTemplate& message);

  [[nodiscard]] std::uint32_t sent() const { return sent_; }
  /// Acknowledged with success; at QoS 0, sent.
  [[nodiscard]] std::uint64_t acked() const { return qos_ == mqtt::QoS::at_most_once ? sent_ : acked_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  /// Acknowledgements that answer nothing.
  [[nodiscard]] std::uint64_t unexpected() const { return unexpected_; }
  [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }

 protected:
  void on_message(const mqtt::Frame& frame) override;

 private:
  enum class Awaits : std::uint8_t { nothing, puback, pubrec, pubcomp };

  void on_pubrec(mqtt::PacketId id, std::uint8_t reason);
  void finish(mqtt::PacketId id, std::uint8_t reason);

  std::uint32_t number_;
  mqtt::QoS qos_;
  std::uint32_t window_;
  std::uint32_t sent_ = 0, in_flight_ = 0;
  std::uint64_t acked_ = 0, refused_ = 0, unexpected_ = 0;
  mqtt::PacketId next_id_ = 1;
  std::vector<Awaits> awaits_;  // by packet identifier
};

}  // namespace load
