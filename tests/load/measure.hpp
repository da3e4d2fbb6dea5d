#pragma once
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

namespace load {

using Json = nlohmann::ordered_json;

/// The monotonic clock in nanoseconds.
[[nodiscard]] std::uint64_t now_ns();
[[nodiscard]] inline double seconds_since(std::uint64_t start_ns) {
  return static_cast<double>(now_ns() - start_ns) / 1e9;
}

/// What the kernel says of a process.
struct Usage {
  double cpu_seconds = 0;  ///< user and system, of the threads that it has now
  double first_thread_cpu_seconds = 0;
  std::uint64_t rss_bytes = 0;
  std::uint64_t peak_rss_bytes = 0;  ///< since it started
};

/// Nothing if there is no such process. `pid` 0 is this one.
[[nodiscard]] std::optional<Usage> usage_of(pid_t pid);

/// CPU time of this process and of the broker between two moments, into the report.
class Meter {
 public:
  /// `broker` 0: not on this machine, not reported.
  explicit Meter(pid_t broker);
  /// Adds wall_seconds, own_cpu_seconds, broker_cpu_seconds, that of its first thread, broker_rss_bytes and
  /// their starting values.
  void report(Json& to) const;
  /// Wall time ends at this moment (now_ns) instead of at the report.
  void stop(std::uint64_t at_ns) { stop_ns_ = at_ns; }
  /// Seconds from the start to stop(), or until now.
  [[nodiscard]] double wall_seconds() const;

 private:
  pid_t broker_;
  std::uint64_t start_ns_ = now_ns();
  std::optional<std::uint64_t> stop_ns_;
  Usage own_;
  std::optional<Usage> theirs_;
};

/// Resident memory of the broker, in bytes; null without a pid.
[[nodiscard]] Json rss_of(pid_t broker);

/// Counts durations in buckets of under 2 %.
class Histogram {
 public:
  void add(std::uint64_t ns);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Upper edge of the bucket that holds this part (0 to 1) of all values.
  [[nodiscard]] std::uint64_t percentile(double part) const;
  /// {"p50": ..., "p99": ..., "p999": ..., "max": ...} in microseconds.
  [[nodiscard]] Json report() const;

 private:
  static constexpr unsigned sub_bits = 7;
  std::array<std::uint64_t, (64 - sub_bits + 1) << sub_bits> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

/// Raises the limit of descriptors as far as it goes and returns it.
std::uint64_t raise_descriptor_limit();

}  // namespace load
