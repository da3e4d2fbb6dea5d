#include "mqbench/histogram_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "mqbench/histogram_encoding.hpp"

namespace mq {
namespace {

using Fault = std::unexpected<std::string>;

constexpr std::string_view tag_prefix = "Tag=";
/// In seconds: the last that a clock of 64 bits in nanoseconds shows.
constexpr double latest = 9.2e9;

double in_seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>{time}.count(); }

std::chrono::nanoseconds from_seconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>{seconds});
}

/// Up to the separator, which goes too; all of it if there is none.
std::string_view take_part(std::string_view& text, char separator) {
  const std::size_t end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

/// Some ports align their numbers with spaces.
std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

/// Seconds, not negative.
std::optional<double> parse_seconds(std::string_view text) {
  double value = 0;
  text = trimmed(text);
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  const bool good = fault == std::errc{} && end == text.data() + text.size() && value >= 0 && value <= latest;
  return good ? std::optional{value} : std::nullopt;
}

}  // namespace

HistogramLogWriter::HistogramLogWriter(std::string& out, WallTime start) : out_{&out}, start_{start} {
  const double seconds = in_seconds(start.time_since_epoch());
  fmt::format_to(
      std::back_inserter(out),
      "#[Histogram log format version 1.3]\n"
      "#[StartTime: {0:.3f} (seconds since epoch)]\n"
      "#[BaseTime: {0:.3f} (seconds since epoch)]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      seconds);
}

void HistogramLogWriter::add(const HistogramInterval& interval) {
  if (!interval.tag.empty()) fmt::format_to(std::back_inserter(*out_), "{}{},", tag_prefix, interval.tag);
  fmt::format_to(std::back_inserter(*out_), "{:.3f},{:.3f},{:.3f},{}\n", in_seconds(interval.start - start_),
                 in_seconds(interval.length), static_cast<double>(interval.histogram.max()) / 1e6,
                 encode_histogram(interval.histogram));
}

std::expected<std::optional<HistogramInterval>, std::string> HistogramLogReader::next() {
  const auto at_line = [this](const std::string& what) {
    return Fault{fmt::format("line {}: {}", line_, what)};
  };
  while (!rest_.empty()) {
    ++line_;
    const std::string_view line = trimmed(take_part(rest_, '\n'));
    if (line.empty() || line.starts_with('"')) continue;
    if (line.starts_with('#')) {
      if (auto read = read_comment(line); !read) return at_line(read.error());
      continue;
    }
    auto interval = read_interval(line);
    if (!interval) return at_line(interval.error());
    return std::move(*interval);
  }
  return std::nullopt;
}

std::expected<void, std::string> HistogramLogReader::read_comment(std::string_view line) {
  for (const std::string_view name : {"#[StartTime: ", "#[BaseTime: "}) {
    if (!line.starts_with(name)) continue;
    std::string_view value = line.substr(name.size());
    const auto seconds = parse_seconds(take_part(value, ' '));
    if (!seconds) return Fault{fmt::format("there is no time behind {}", name.substr(2))};
    if (name.starts_with("#[B"))
      base_ = seconds;
    else
      start_ = *seconds;
  }
  return {};
}

std::expected<HistogramInterval, std::string> HistogramLogReader::read_interval(std::string_view line) {
  HistogramInterval interval;
  if (line.starts_with(tag_prefix)) interval.tag = take_part(line, ',').substr(tag_prefix.size());
  const auto start = parse_seconds(take_part(line, ','));
  const auto length = parse_seconds(take_part(line, ','));
  const auto max = parse_seconds(take_part(line, ','));
  if (!start || !length || !max) return Fault{"it does not begin with three numbers"};
  // As the format has it: times of more than a year before the log's own are counted from that.
  constexpr double year = 365.0 * 24 * 3600;
  if (!base_) base_ = *start < start_ - year ? start_ : 0;
  if (*base_ + *start > latest) return Fault{"its time is beyond all calendars"};
  auto histogram = decode_histogram(line);
  if (!histogram) return Fault{"not a histogram: " + histogram.error()};
  interval.start = WallTime{from_seconds(*base_ + *start)};
  interval.length = from_seconds(*length);
  interval.histogram = std::move(*histogram);
  return interval;
}

}  // namespace mq
