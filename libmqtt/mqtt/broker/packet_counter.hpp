#pragma once
#include <mqtt/broker/events.hpp>
#include <mqtt/session/session_handler.hpp>

namespace mqtt::broker {

/// Counts packets, and shows them to somebody else too.
class PacketCounter final : public PacketObserver {
 public:
  /// `next` may be null.
  explicit PacketCounter(Counters& counters, PacketObserver* next = nullptr)
      : counters_{counters}, next_{next} {}

 private:
  void on_packet_sent(const PacketView& packet) override {
    ++counters_.packets_sent;
    if (next_) next_->on_packet_sent(packet);
  }
  void on_packet_received(const PacketView& packet) override {
    ++counters_.packets_received;
    if (next_) next_->on_packet_received(packet);
  }

  Counters& counters_;
  PacketObserver* next_;
};

}  // namespace mqtt::broker
