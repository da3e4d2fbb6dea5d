#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mqbench/measurements.hpp"
#include "mqbench/second_recorder.hpp"
#include "mqbench/usage_meter.hpp"

namespace mq::bench {

/// The latencies of one second over all workers: intended to received in an open loop, sent to received in
/// a closed one. Nanoseconds.
struct IntervalLatency {
  std::uint64_t count = 0;
  std::uint64_t p50 = 0;
  std::uint64_t p99 = 0;
  std::uint64_t p99_9 = 0;
  std::uint64_t max = 0;
  std::string hdr;  ///< encode_histogram(); empty after hours, when all of them would take too much memory
};

/// Without `hdr`.
[[nodiscard]] IntervalLatency summary_of(const Histogram& histogram);

/// One second of a run, over all workers. What is not known is not there.
struct Interval {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::optional<std::uint64_t> connections;  ///< at its end
  std::optional<IntervalLatency> latency;
  std::optional<double> tool_cpu;  ///< as in Usage
  std::optional<double> broker_cpu;
  std::optional<std::uint64_t> broker_rss_bytes;  ///< at its end, as the next
  std::optional<std::uint64_t> broker_descriptors;
};

/// A run second by second. A second is complete when all workers have left it behind.
class IntervalLog {
 public:
  /// Of all encoded histograms.
  static constexpr std::size_t encoded_bytes_max = 64 * 1024 * 1024;
  /// That some workers have left behind and others have not.
  static constexpr std::size_t open_max = 60;

  explicit IntervalLog(std::size_t workers) : reached_(workers) {}

  void add(std::size_t worker, SecondRecorder::Taken taken);
  void add(std::size_t second, std::uint64_t connections, const Usage& usage);
  /// At the end, when everything has been added.
  [[nodiscard]] std::vector<Interval> finish(const PerSecond& sent, const PerSecond& received);

  /// Of the last complete second with messages; null before it.
  [[nodiscard]] const IntervalLatency* last() const;
  /// Of all complete seconds.
  [[nodiscard]] const Histogram& so_far() const { return so_far_; }

 private:
  struct Open {
    Histogram latency;
    bool whole = true;
  };

  void close_first();
  [[nodiscard]] Interval& at(std::size_t second);

  std::vector<std::size_t> reached_;  // by worker
  std::map<std::size_t, Open> open_;  // by second
  std::size_t closed_ = 0;            // every second before this one
  std::vector<Interval> intervals_;
  std::optional<std::size_t> last_;
  Histogram so_far_;
  std::size_t encoded_bytes_ = 0;
};

}  // namespace mq::bench
