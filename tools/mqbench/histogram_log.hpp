#pragma once
#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "common/wall_time.hpp"
#include "mqbench/histogram.hpp"

namespace mq {

/// What was recorded between two times; several tags may share them.
struct HistogramInterval {
  std::string tag;  ///< empty: none. Without commas and line ends.
  WallTime start;
  std::chrono::nanoseconds length;
  Histogram histogram;
};

/// Appends an interval log of HdrHistogram, version 1.3, to a string of the caller's: a head, and a line for
/// each interval. The values are nanoseconds; the maximum that a line shows is in milliseconds.
class HistogramLogWriter {
 public:
  HistogramLogWriter(std::string& out, WallTime start);
  /// `interval.start` is not before the log's.
  void add(const HistogramInterval& interval);

 private:
  std::string* out_;
  WallTime start_;
};

/// Reads such a log interval by interval: all of its histograms at once may be much more than its text. The
/// text must outlive it.
class HistogramLogReader {
 public:
  explicit HistogramLogReader(std::string_view text) : rest_{text} {}

  /// Nothing at the end; "line 7: ..." for a line that is no interval.
  [[nodiscard]] std::expected<std::optional<HistogramInterval>, std::string> next();

 private:
  [[nodiscard]] std::expected<void, std::string> read_comment(std::string_view line);
  [[nodiscard]] std::expected<HistogramInterval, std::string> read_interval(std::string_view line);

  std::string_view rest_;
  std::size_t line_ = 0;
  double start_ = 0;            // seconds since 1970
  std::optional<double> base_;  // what the times of intervals are counted from
};

}  // namespace mq
