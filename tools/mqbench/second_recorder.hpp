#pragma once
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include <mqtt/util/time.hpp>

#include "mqbench/histogram.hpp"

namespace mq::bench {

/// What one worker has measured in one second.
struct SecondOfWorker {
  std::size_t second = 0;
  std::optional<Histogram> latency;  ///< none: nobody took the earlier ones, and memory has a bound
};

/// Cuts what a worker measures into seconds since the common start, and hands those that are over to
/// another thread. Recording touches nothing that threads share; once a second a lock is taken.
class SecondRecorder {
 public:
  /// So many seconds wait with their histograms, of some 200 KiB each.
  static constexpr std::size_t waiting_max = 8;

  // Of the worker's thread.

  void record(mqtt::Duration since_start, std::int64_t latency_ns) {
    if (since_start >= end_) turn(since_start);
    latency_.record(latency_ns);
  }
  /// Hands over what is over by then.
  void turn(mqtt::Duration since_start);
  /// Hands over the rest: nothing follows.
  void end();

  // Of any thread.

  struct Taken {
    std::vector<SecondOfWorker> seconds;  ///< those without a message are left out
    std::size_t reached = 0;              ///< every second before this one is over
  };
  [[nodiscard]] Taken take();

 private:
  void hand_over(std::size_t reached);

  mqtt::Duration end_ = std::chrono::seconds{1};
  std::size_t second_ = 0;
  Histogram latency_;

  std::mutex mutex_;
  Taken handed_over_;
};

}  // namespace mq::bench
