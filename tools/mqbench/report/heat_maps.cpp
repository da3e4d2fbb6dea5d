#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "mqbench/report/charts.hpp"
#include "mqbench/report/figure.hpp"
#include "mqbench/report/html.hpp"

namespace mq::bench::report {
namespace {

/// Bands of latencies per power of ten.
constexpr int bands_per_decade = 8;
constexpr std::uint64_t wide_columns_max = 100;
constexpr std::uint64_t narrow_columns_max = 50;

/// Counts by column and band.
using Counts = std::map<std::pair<std::uint64_t, int>, std::uint64_t>;

int band_of(double ns) {
  return static_cast<int>(std::floor(std::log10(std::max(ns, 1e3)) * bands_per_decade + 1e-9));
}
double low_of(int band) { return std::pow(10, static_cast<double>(band) / bands_per_decade); }

Counts count(const results::StoredResult& result, std::uint64_t each) {
  Counts counts;
  for (const auto& interval : result.intervals) {
    if (!interval.latency) continue;
    const Histogram histogram = interval.latency->dense();
    const auto& counters = histogram.counters();
    for (std::size_t n = 0; n < counters.size(); ++n) {
      if (counters[n] == 0) continue;
      const auto middle = static_cast<double>(histogram.lowest_of(n) + histogram.highest_of(n)) / 2;
      counts[{interval.second / each, band_of(middle)}] += counters[n];
    }
  }
  return counts;
}

Table table_of(const Counts& counts) {
  std::map<int, std::uint64_t> by_band;
  for (const auto& [where, count] : counts) by_band[where.second] += count;
  Table table{.caption = "messages by latency", .columns = {"latency", "messages"}, .rows = {}};
  for (const auto& [band, count] : by_band)
    table.rows.push_back(
        {.name = fmt::format("{} to {}", shown_time(low_of(band)), shown_time(low_of(band + 1))),
         .cells = {number_cell(static_cast<double>(count))}});
  return table;
}

/// The lowest and the highest band in use.
struct Bands {
  int lowest = 1'000;
  int highest = 0;

  void widen(const Counts& counts) {
    for (const auto& [where, count] : counts)
      lowest = std::min(lowest, where.second), highest = std::max(highest, where.second);
  }
};

HeatMap map_of(const Counts& counts, const Subject& subject, std::uint64_t each, const Bands& bands) {
  const Shown seconds = [](double value) { return fmt::format("{:g}", value); };
  const std::uint64_t columns = subject.result->intervals.back().second / each + 1;
  HeatMap map{.id = "heat",
              .title = "Where the latencies were",
              .description = "Messages by second and latency: the stronger the colour, the more.",
              .cells = {},
              .marks = outage_marks({&subject, 1}),
              .x = Scale::exact(0, static_cast<double>(columns * each), seconds),
              .y = Scale::logarithmic(low_of(bands.lowest), low_of(bands.highest + 1), shown_time),
              .shown = shown_time};
  for (const auto& [where, count] : counts)
    map.cells.push_back({.from = static_cast<double>(where.first * each),
                         .to = static_cast<double>((where.first + 1) * each),
                         .low = low_of(where.second),
                         .high = low_of(where.second + 1),
                         .count = count});
  return map;
}

}  // namespace

std::string heat_maps(Subjects subjects) {
  std::vector<Counts> wide_counts;
  Bands bands;  // of all, so that they can be compared
  for (const Subject& subject : subjects) {
    wide_counts.push_back(count(*subject.result, seconds_each(*subject.result, wide_columns_max)));
    bands.widen(wide_counts.back());
  }
  std::string text;
  for (std::size_t n = 0; n < subjects.size(); ++n) {
    if (wide_counts[n].empty()) continue;
    const std::uint64_t wide_each = seconds_each(*subjects[n].result, wide_columns_max);
    const std::uint64_t narrow_each = seconds_each(*subjects[n].result, narrow_columns_max);
    HeatMap wide = map_of(wide_counts[n], subjects[n], wide_each, bands);
    HeatMap narrow = map_of(count(*subjects[n].result, narrow_each), subjects[n], narrow_each, bands);
    wide.id = narrow.id = fmt::format("heat-{}", n);
    if (subjects.size() > 1) wide.title = narrow.title = fmt::format("{}: {}", wide.title, subjects[n].name);
    text += figure(wide, narrow, table_of(wide_counts[n]));
  }
  return text;
}

}  // namespace mq::bench::report
