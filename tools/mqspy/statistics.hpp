#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "mqspy/record.hpp"
#include "mqspy/view.hpp"

namespace mq::spy {

/// Counts latencies in classes of about 3 %: 32 per power of two of nanoseconds.
class LatencyCounts {
 public:
  void add(mqtt::Duration latency);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] mqtt::Duration max() const { return max_; }
  /// The upper end of the class that holds it; `per_mille` of 1000.
  [[nodiscard]] mqtt::Duration percentile(unsigned per_mille) const;

 private:
  static constexpr unsigned steps = 32;
  std::array<std::uint64_t, 64 * steps> counts_{};
  std::uint64_t count_ = 0;
  mqtt::Duration max_{};
};

/// What there was in all, told at the end.
class Statistics final : public RecordSink {
 public:
  Statistics(std::string& out, View view) : out_{out}, view_{view} {}

  void on_open(const OpenRecord& record) override;
  void on_packet(const PacketRecord& record) override;
  void on_close(const CloseRecord& record) override;
  void on_gap(const GapRecord&) override { ++gaps_; }
  void on_fault(const FaultRecord&) override { ++faults_; }
  void on_note(const NoteRecord&) override {}
  void on_end() override;

 private:
  struct Sent {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };
  /// Packet type and direction.
  using Kind = std::pair<unsigned, mqtt::Sender>;
  /// Topics that are counted apart; messages of others are counted together.
  static constexpr std::size_t topics_max = 10'000;

  void count_findings(std::span<const mqtt::Finding> findings);
  void write_text();
  void write_json();

  std::string& out_;
  View view_;
  std::uint64_t opened_ = 0;
  std::uint64_t gaps_ = 0;
  std::uint64_t faults_ = 0;
  std::map<Kind, Sent> sent_;
  std::map<unsigned, LatencyCounts> latencies_;    // by the type that answers
  std::map<std::string, std::uint64_t> findings_;  // "5.0 MQTT-3.3.1-2"
  std::map<std::string, std::uint64_t> causes_;    // of ends
  std::map<std::string, Sent, std::less<>> topics_;
  std::uint64_t other_topics_ = 0;  // messages
  std::optional<mqtt::TimePoint> first_;
  mqtt::TimePoint last_{};
};

}  // namespace mq::spy
