#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/rare.hpp>
#include <mqtt/util/time.hpp>

#include "mqbench/sequence_tracker.hpp"
#include "mqbench/stamp.hpp"

namespace mq::bench {

struct Surroundings;

/// Whose latencies are worth measuring.
enum class Reading : std::uint8_t { promptly, slowly };

/// What one client has received: counts, measures, and knows what is missing.
class Inbox {
 public:
  explicit Inbox(Surroundings& around, Reading reading = Reading::promptly)
      : around_{around}, reading_{reading} {}

  void note(const mqtt::PublishView& message, mqtt::TimePoint now);

  /// Different messages, damaged ones included.
  [[nodiscard]] std::uint64_t distinct() const { return distinct_; }
  /// Of streams that have sent so many messages, how many that are `ours` never came, damaged or not.
  template <class Ours>
  [[nodiscard]] std::uint64_t lost_of(const std::vector<std::uint64_t>& sent, Ours ours) const {
    std::uint64_t all = 0, lost = 0;
    for (std::uint32_t stream = 0; stream < sent.size(); ++stream) {
      if (!ours(stream)) continue;
      all += sent[stream];
      lost += lost_of(stream, sent[stream]);
    }
    return lost_of_all(all, lost);
  }

 private:
  [[nodiscard]] std::uint64_t lost_of(std::uint32_t stream, std::uint64_t sent) const;
  [[nodiscard]] std::uint64_t lost_of_all(std::uint64_t sent, std::uint64_t lost) const;
  void note_delivery(mqtt::TimePoint now);
  void note_unstamped(mqtt::Bytes payload);
  void note_damaged();
  [[nodiscard]] Arrived note_arrival(const Stamp& stamp);
  void record(const Stamp& stamp, mqtt::TimePoint now);
  [[nodiscard]] bool same_body(const Stamp& stamp, mqtt::Bytes payload) const;

  Surroundings& around_;
  Reading reading_;
  mqtt::Rare<std::unordered_map<std::uint32_t, SequenceTracker>> streams_;
  std::uint64_t distinct_ = 0;
  std::uint64_t unnamed_ = 0;  // damaged ones of which nobody knows which message they were
};

}  // namespace mq::bench
