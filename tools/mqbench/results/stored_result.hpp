#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/exit_code.hpp"
#include "common/wall_time.hpp"
#include "mqbench/histogram.hpp"

namespace mq::bench::results {

/// A histogram that takes room only for what it counts: there are as many of them as a run has seconds.
class SparseHistogram {
 public:
  SparseHistogram() = default;
  explicit SparseHistogram(const Histogram& histogram);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] const HistogramRange& range() const { return range_; }
  /// The same, with all of its counters.
  [[nodiscard]] Histogram dense() const;

 private:
  HistogramRange range_ = latency_range;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> counters_;  // which one, how many
  HistogramExtremes extremes_;
  std::uint64_t count_ = 0;
};

/// A member of an object that is only shown, compared and passed on.
struct Field {
  std::string name;
  std::string json;  ///< its value as JSON
  std::string text;  ///< the same for people: strings without quotes

  bool operator==(const Field&) const = default;
};
using Fields = std::vector<Field>;

/// By name; null if there is none.
[[nodiscard]] const Field* find_field(const Fields& fields, std::string_view name);

/// Of a scenario's members, those that say where its clients connect from and to: parts of one run may have
/// others.
[[nodiscard]] bool is_of_place(std::string_view name);

/// One second of a run. What is absent was not known.
struct StoredInterval {
  std::uint64_t second = 0;  ///< since the common start
  std::optional<std::uint64_t> sent{};
  std::optional<std::uint64_t> received{};
  std::optional<std::uint64_t> connections{};
  std::optional<SparseHistogram> latency{};
  std::optional<double> tool_cpu{};  ///< in processors
  std::optional<double> broker_cpu{};
  std::optional<std::uint64_t> broker_rss_bytes{};
  std::optional<std::uint64_t> broker_fds{};
};

/// A time in which something was missing, as of outages.hpp.
struct StoredOutage {
  std::uint64_t from = 0;  ///< seconds since the common start
  std::uint64_t to = 0;    ///< the second after the last
  bool over = false;
  std::uint64_t connections = 0;
  std::uint64_t received = 0;
  std::optional<std::int64_t> began_ns{};  ///< since the common start, as the next
  std::optional<std::int64_t> recovered_ns{};
  std::optional<std::uint64_t> lost{};
  std::optional<std::uint64_t>
      part{};  ///< of a merged result, from 1: whose it is; the others did not notice

  bool operator==(const StoredOutage&) const = default;
};

struct StoredLatency {
  std::string name;
  Histogram histogram;
};

struct StoredCount {
  std::string name;
  std::uint64_t value = 0;
};

/// Of a machine and its network during a run.
struct StoredActivity {
  std::uint64_t segments_sent = 0;  ///< TCP, of the run's own connections
  std::uint64_t segments_resent = 0;
  std::uint64_t throttled_periods = 0;  ///< of the control group, as the next
  double throttled_s = 0;
  double stolen = 0;  ///< share of the processors' time
  std::optional<double> busiest_reception{};
};

struct StoredThreshold {
  std::string expression;
  std::optional<double> value;  ///< absent: there was none to judge by
  bool passed = false;
};

/// Of one worker of a sharded run.
struct Shard {
  std::uint64_t index = 1;  ///< from 1
  std::uint64_t count = 1;
  bool complete = true;  ///< it knew what all others have sent, and has judged its losses by that
};

/// What a machine's monotonic clock is apart from the first shard's, by which messages of all shards are
/// stamped: reference = own + offset.
struct ClockOffset {
  std::int64_t offset_ns = 0;
  std::uint64_t error_ns = 0;
};

/// When things happened, in nanoseconds since the common start.
struct StoredTimes {
  std::optional<std::int64_t> first_due{};
  std::optional<std::int64_t> last_sent{};
  std::optional<std::int64_t> last_received{};
};

/// What a result of format mqbench/1 says.
struct StoredResult {
  std::string file;
  std::uint64_t run = 0;
  WallTime started;
  WallTime ended;
  bool interrupted = false;
  std::string verdict;
  std::string reason;  ///< empty: none
  std::vector<std::string> notes;
  std::optional<bool> passed;
  std::string scenario_hash;
  std::optional<Shard> shard;
  std::optional<ClockOffset> clock;
  std::uint64_t workers = 1;
  Fields scenario;
  Fields broker;
  Fields tool;
  Fields machine;
  std::vector<Fields> parts;  ///< of a merged result
  std::vector<StoredCount> counts;
  std::vector<StoredCount> refusals;  ///< by reason
  std::optional<StoredActivity> activity;
  StoredTimes times;
  double sent_per_second = 0;
  double received_per_second = 0;
  std::uint64_t threads = 0;
  double cpu_s = 0;
  double busiest = 0;
  double cpu_s_per_million = 0;
  std::vector<StoredLatency> latencies;
  std::vector<StoredOutage> outages;      ///< in order of time
  std::vector<StoredInterval> intervals;  ///< in order of time
  std::vector<StoredThreshold> thresholds;

  /// 0 if it has none of this name.
  [[nodiscard]] std::uint64_t count(std::string_view name) const;
  /// Null if nothing was measured under this name.
  [[nodiscard]] const Histogram* latency(std::string_view name) const;
  /// From when a message was due to when it came, of an open loop; of a closed one from when it was sent.
  /// Null without latencies.
  [[nodiscard]] const StoredLatency* main_latency() const;
};

/// Why a file is of no use, as one line ("FILE: what").
struct ResultFault {
  ExitCode code = ExitCode::usage;  ///< local_io: it cannot be read
  std::string sentence;
};

/// A day of intervals with their histograms.
inline constexpr std::size_t result_file_max_bytes = std::size_t{256} * 1024 * 1024;

[[nodiscard]] std::expected<StoredResult, ResultFault> read_result(const std::string& path);
/// The same of what was read already; `name` stands in sentences. Unknown keys are left alone.
[[nodiscard]] std::expected<StoredResult, std::string> parse_result(std::string_view text, std::string name);

/// In the format that parse_result() reads, with a line feed.
[[nodiscard]] std::string as_json(const StoredResult& result);

}  // namespace mq::bench::results
