#pragma once
#include <vector>

#include "sequence.hpp"
#include "session.hpp"

namespace load {

/// What all subscribers of a run have received.
struct Receipts {
  std::uint64_t delivered = 0;  ///< without duplicates
  std::uint64_t duplicates = 0;
  std::uint64_t out_of_order = 0;  ///< delivered, but after a later one of the same publisher
  std::uint64_t foreign = 0;       ///< not a message of this run
  std::uint64_t last_ns = 0;
  Histogram latency;

  void report(Json& to) const;
};

/// Receives and acknowledges, and checks the numbers of each publisher.
class Subscriber : public Session {
 public:
  Subscriber(Loop& loop, ConnectOptions options, Receipts& receipts)
      : Session{loop, std::move(options)}, receipts_{&receipts} {}

  /// Of the `sent` messages of this publisher.
  [[nodiscard]] std::uint64_t missing(std::uint32_t publisher, std::uint64_t sent) const;

 protected:
  void on_message(const mqtt::Frame& frame) override;

 private:
  void on_publish(const mqtt::Frame& frame);
  void acknowledge(mqtt::PacketType type, mqtt::PacketId id);
  void take(mqtt::Bytes payload);

  Receipts* receipts_;
  std::vector<SequenceCheck> checks_;  // by publisher
  std::vector<bool> held_;             // QoS 2 packet identifiers between PUBLISH and PUBREL
};

}  // namespace load
