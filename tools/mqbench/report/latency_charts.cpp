#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mqbench/report/charts.hpp"
#include "mqbench/report/figure.hpp"
#include "mqbench/report/html.hpp"

namespace mq::bench::report {
namespace {

using results::StoredLatency;

/// Of 1 / (1 - share): so many points from 0 to 90 %, from 90 to 99 %, and so on.
constexpr unsigned points_per_nine = 10;
constexpr unsigned nines_max = 6;
/// Where the greatest latency is more than that of the least, the axis is logarithmic.
constexpr double linear_ratio_max = 30;

struct Line {
  std::string name;
  const StoredLatency* latency;
};

/// All latencies of messages of one result; of several the one that counts.
std::vector<Line> lines_of(Subjects subjects) {
  std::vector<Line> lines;
  if (subjects.size() == 1)
    for (const std::string_view name : message_latencies)
      for (const StoredLatency& latency : subjects.front().result->latencies)
        if (latency.name == name) lines.push_back({.name = with_spaces(latency.name), .latency = &latency});
  if (subjects.size() > 1)
    for (const Subject& subject : subjects)
      if (const StoredLatency* latency = subject.result->main_latency())
        lines.push_back({.name = subject.name, .latency = latency});
  return lines;
}

double percent_at(unsigned point) {
  return 100 * (1 - std::pow(10, -static_cast<double>(point) / points_per_nine));
}

/// How many nines a histogram can tell: of a thousand values three.
unsigned nines_of(const std::vector<Line>& lines) {
  std::uint64_t most = 10;
  for (const Line& line : lines) most = std::max(most, line.latency->histogram.count());
  return std::min(nines_max, static_cast<unsigned>(std::ceil(std::log10(static_cast<double>(most)))));
}

Series series_of(const Line& line, unsigned color, unsigned points) {
  const Histogram& histogram = line.latency->histogram;
  Series series{.name = line.name, .color = color, .dash = 0, .values = {}};
  for (unsigned n = 0; n <= points; ++n) {
    // Beyond that all values are the greatest one.
    const bool told =
        std::pow(10, static_cast<double>(n) / points_per_nine) <= 10 * static_cast<double>(histogram.count());
    series.values.push_back(told ? std::optional{static_cast<double>(histogram.at_percentile(percent_at(n)))}
                                 : std::nullopt);
  }
  return series;
}

Scale y_scale(const std::vector<Line>& lines) {
  double low = 1e12, high = 1;
  for (const Line& line : lines) {
    low = std::min(low, std::max(1e3, static_cast<double>(line.latency->histogram.at_percentile(0))));
    high = std::max(high, static_cast<double>(line.latency->histogram.max()));
  }
  return high / low > linear_ratio_max ? Scale::logarithmic(low, high, shown_time)
                                       : Scale::from_zero(high, shown_time);
}

Table spectrum_table(const LineChart& chart) {
  Table table{.caption = "latency by percentile", .columns = {"percentile"}, .rows = {}};
  for (const Series& series : chart.series) table.columns.push_back(series.name);
  for (std::size_t n = 0; n < chart.points.size(); ++n) {
    Row row{.name = chart.captions[n], .cells = {}};
    for (const Series& series : chart.series)
      row.cells.push_back(series.values[n] ? time_cell(*series.values[n]) : no_cell());
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table phases_table(const std::vector<RangeRow>& rows) {
  Table table{
      .caption = "connecting and subscribing", .columns = {"phase", "min", "p50", "p99", "max"}, .rows = {}};
  for (const RangeRow& row : rows)
    table.rows.push_back(
        {.name = row.name,
         .cells = {time_cell(row.min), time_cell(row.p50), time_cell(row.p99), time_cell(row.max)}});
  return table;
}

std::vector<RangeRow> phases_of(Subjects subjects) {
  std::vector<RangeRow> rows;
  for (std::size_t n = 0; n < subjects.size(); ++n)
    for (const StoredLatency& latency : subjects[n].result->latencies) {
      if (is_of_messages(latency.name)) continue;
      const Histogram& h = latency.histogram;
      rows.push_back({.name = with_spaces(latency.name) +
                              (subjects.size() > 1 ? fmt::format(" · {}", subjects[n].name) : ""),
                      .color = static_cast<unsigned>(n),
                      .min = static_cast<double>(h.min()),
                      .p50 = static_cast<double>(h.at_percentile(50)),
                      .p99 = static_cast<double>(h.at_percentile(99)),
                      .max = static_cast<double>(h.max())});
    }
  return rows;
}

}  // namespace

bool is_of_messages(std::string_view latency_name) {
  return std::ranges::find(message_latencies, latency_name) != message_latencies.end();
}

std::string with_spaces(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

std::string spectrum_chart(Subjects subjects) {
  const auto lines = lines_of(subjects);
  if (lines.empty()) return "";
  const unsigned nines = nines_of(lines);
  LineChart chart{.id = "spectrum",
                  .title = "Latency by percentile",
                  .description =
                      "How long all but the slowest took: each step to the right is a tenth of the messages "
                      "left of it.",
                  .x_name = "percentile",
                  .points = {},
                  .ends = {},
                  .captions = {},
                  .series = {},
                  .marks = {},
                  .x = Scale::percentiles(nines),
                  .y = y_scale(lines),
                  .shown = shown_time};
  for (unsigned n = 0; n <= nines * points_per_nine; ++n) {
    chart.points.push_back(std::pow(10, static_cast<double>(n) / points_per_nine));
    chart.captions.push_back(fmt::format("{:.6g} %", percent_at(n)));
  }
  for (std::size_t n = 0; n < lines.size(); ++n)
    chart.series.push_back(series_of(lines[n], static_cast<unsigned>(n), nines * points_per_nine));
  return figure(chart, spectrum_table(chart));
}

std::string phases_chart(Subjects subjects) {
  const auto rows = phases_of(subjects);
  if (rows.empty()) return "";
  double low = 1e12, high = 1e4;
  for (const RangeRow& row : rows)
    low = std::min(low, std::max(row.min, 1e3)), high = std::max(high, row.max);
  const RangeChart chart{.id = "phases",
                         .title = "Connecting and subscribing",
                         .description =
                             "From the fastest to the slowest client; the thick part ends where 99 of 100 "
                             "were ready, the dot is in the middle of them.",
                         .rows = rows,
                         .x = Scale::logarithmic(low, high, shown_time),
                         .shown = shown_time};
  return figure(chart, phases_table(rows));
}

}  // namespace mq::bench::report
