#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/net/stream.hpp>

#include "common/wall_time.hpp"
#include "mqbench/clock_offset.hpp"
#include "mqbench/interval_log.hpp"
#include "mqbench/machine.hpp"
#include "mqbench/measurements.hpp"
#include "mqbench/outages.hpp"
#include "mqbench/plan.hpp"
#include "mqbench/threshold.hpp"
#include "mqbench/verdict.hpp"
#include "mqbench/worker.hpp"

namespace mq::bench {

/// A process of the broker.
struct WatchedProcess {
  pid_t pid = 0;
  std::string allowed_processors;
};

/// Of a process that has a part of a run.
struct ShardResult {
  ClockOffset clock;  ///< to the first shard's, with what is known of it at the end
  /// By how much latencies of messages from other shards can be wrong.
  mqtt::Duration latency_error{};
  /// All shards have come to the end: losses are judged over all of them. If not, only this one's own
  /// messages are.
  bool complete = false;
};

/// One run, over all of its workers.
struct RunResult {
  Plan plan;
  std::string command_line;
  std::string broker;
  WallTime started;
  WallTime ended;
  mqtt::TimePoint start;  ///< common to all workers: `started`, on the clock of the measurements
  bool interrupted = false;
  Measurements measurements;
  std::vector<Outage> outages;
  std::vector<Interval> intervals;  ///< from the common start on
  Agreed agreed;
  unsigned threads = 0;
  mqtt::Duration cpu{};  ///< of all workers
  double busiest = 0;    ///< the share of its time that the busiest worker was at work
  double absent = 0;     ///< the share of its time that a worker could not run, at most
  double unread = 0;     ///< and in which it left bytes in a socket that it could have read
  Machine machine;
  SystemActivity activity;
  mqtt::net::SegmentCounts segments;  ///< TCP, of our connections while messages were sent
  std::vector<WatchedProcess> watched;
  bool quick_ack = false;  ///< what was read was acknowledged at once (--quickack)
  bool embedded = false;   ///< the broker was our own, in this process
  Verdict verdict = Verdict::valid;
  std::string reason;              ///< of a verdict that is not valid
  std::vector<std::string> notes;  ///< sentences for who reads the numbers
  std::vector<ThresholdOutcome> thresholds;
  std::optional<ShardResult> shard;

  /// Messages per second, from when the first was due to when the last one left.
  [[nodiscard]] double sent_rate() const;
  /// Deliveries per second, from there to the last one.
  [[nodiscard]] double received_rate() const;
  [[nodiscard]] double cpu_seconds_per_million() const;
  /// Every threshold was met.
  [[nodiscard]] bool passed() const;
};

/// For people.
[[nodiscard]] std::string as_text(const RunResult& result);
/// One JSON object and a line feed.
[[nodiscard]] std::string as_json(const RunResult& result);
/// A head, and a line for each second; what is not known is empty.
[[nodiscard]] std::string as_csv(const RunResult& result);
/// HdrHistogram's log: one interval, a tag per metric that has values.
[[nodiscard]] std::string as_histogram_log(const RunResult& result);

}  // namespace mq::bench
