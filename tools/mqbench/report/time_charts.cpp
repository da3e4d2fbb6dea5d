#include <fmt/format.h>

#include <algorithm>

#include "mqbench/report/charts.hpp"
#include "mqbench/report/figure.hpp"
#include "mqbench/report/html.hpp"

namespace mq::bench::report {
namespace {

/// Something that each moment may know.
struct Quantity {
  std::string name;
  std::string key;  ///< in an interval of the result
  std::function<std::optional<double>(const Moment&)> value;
};

/// One chart, before it is known what there is to draw.
struct TimeChart {
  std::string id;
  std::string title;
  std::string description;
  std::vector<Quantity> quantities;
  Shown shown;
  bool logarithmic = false;
  Cell (*cell)(double) = number_cell;
};

bool knows(const Subject& subject, const Quantity& quantity) {
  return std::ranges::any_of(subject.timeline,
                             [&](const Moment& moment) { return quantity.value(moment).has_value(); });
}

Series series_of(const Subject& subject, const Quantity& quantity, std::size_t points) {
  Series series;
  for (const Moment& moment : subject.timeline) series.values.push_back(quantity.value(moment));
  series.values.resize(points);
  return series;
}

std::string name_of(Subjects subjects, const Subject& subject, const TimeChart& chart,
                    const Quantity& quantity) {
  if (subjects.size() == 1) return quantity.name;
  if (chart.quantities.size() == 1) return subject.name;
  return fmt::format("{} · {}", subject.name, quantity.name);
}

struct Column {
  const Subject* subject;
  std::size_t result;
  const Quantity* quantity;
};

Cell cell_of(const Column& column, std::size_t point, const TimeChart& chart) {
  if (point >= column.subject->timeline.size()) return no_cell();
  const Moment& moment = column.subject->timeline[point];
  const auto value = column.quantity->value(moment);
  if (!value) return no_cell();
  if (!moment.interval) return chart.cell(*value);
  return from(chart.cell(*value), column.result,
              fmt::format("intervals[{}].{}", *moment.interval, column.quantity->key));
}

Table table_of(const TimeChart& chart, const LineChart& lines, const std::vector<Column>& columns) {
  Table table{.caption = chart.title, .columns = {"second"}, .rows = {}};
  for (const Series& series : lines.series) table.columns.push_back(series.name);
  for (std::size_t n = 0; n < lines.points.size(); ++n) {
    Row row{.name = lines.captions[n], .cells = {}};
    for (const Column& column : columns) row.cells.push_back(cell_of(column, n, chart));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Scale scale_of(const TimeChart& chart, Subjects subjects) {
  double low = 0, high = 0;
  for (const Subject& subject : subjects)
    for (const Moment& moment : subject.timeline)
      for (const Quantity& quantity : chart.quantities) {
        const double value = quantity.value(moment).value_or(0);
        if (value > 0) low = low == 0 ? value : std::min(low, value);
        high = std::max(high, value);
      }
  if (!chart.logarithmic || low == 0) return Scale::from_zero(high, chart.shown);
  return Scale::logarithmic(low, high, chart.shown);
}

/// "0 s", "12 s to 15 s".
std::string caption_of(std::size_t point, std::uint64_t each) {
  return each == 1 ? fmt::format("{} s", point)
                   : fmt::format("{} s to {} s", point * each, (point + 1) * each);
}

/// One of several results with a chart of its own: which one, and all of them, whose values the axis has room
/// for.
struct Among {
  std::size_t result;
  Subjects all;
};

std::string figure_of(const TimeChart& chart, Subjects subjects, std::optional<Among> among = std::nullopt) {
  std::size_t points = 0;
  for (const Subject& subject : subjects) points = std::max(points, subject.timeline.size());
  std::vector<Series> all;
  std::vector<Column> columns;
  for (std::size_t n = 0; n < subjects.size(); ++n)
    for (std::size_t k = 0; k < chart.quantities.size(); ++k) {
      if (!knows(subjects[n], chart.quantities[k])) continue;
      Series series = series_of(subjects[n], chart.quantities[k], points);
      series.name = name_of(subjects, subjects[n], chart, chart.quantities[k]);
      series.color = static_cast<unsigned>(subjects.size() == 1 ? k : n);
      series.dash = static_cast<unsigned>(subjects.size() == 1 ? 0 : std::min<std::size_t>(k, 2));
      all.push_back(std::move(series));
      columns.push_back({.subject = &subjects[n],
                         .result = (among ? among->result : 0) + n,
                         .quantity = &chart.quantities[k]});
    }
  if (all.empty()) return "";
  const std::uint64_t each = subjects.front().seconds_each;
  const Shown seconds = [](double value) { return fmt::format("{:g}", value); };
  LineChart lines{.id = chart.id,
                  .title = chart.title,
                  .description = chart.description,
                  .x_name = "seconds since the start",
                  .points = {},
                  .ends = {},
                  .captions = {},
                  .series = {},
                  .marks = outage_marks(subjects),
                  .x = Scale::exact(0, static_cast<double>(points * each), seconds),
                  .y = scale_of(chart, among ? among->all : subjects),
                  .shown = chart.shown};
  if (each > 1) lines.description += fmt::format(" Each point is {} s.", each);
  lines.series = std::move(all);
  for (std::size_t n = 0; n < points; ++n) {
    lines.points.push_back((static_cast<double>(n) + 0.5) *
                           static_cast<double>(each));  // in the middle of its seconds
    lines.ends.push_back(static_cast<double>((n + 1) * each));
    lines.captions.push_back(caption_of(n, each));
  }
  return figure(lines, table_of(chart, lines, columns));
}

std::optional<double> of_latency(const Moment& moment, double Latencies::* member) {
  return moment.latency ? std::optional{(*moment.latency).*member} : std::nullopt;
}

std::vector<Quantity> percentiles() {
  return {{"p50", "latency.p50", [](const Moment& m) { return of_latency(m, &Latencies::p50); }},
          {"p99", "latency.p99", [](const Moment& m) { return of_latency(m, &Latencies::p99); }},
          {"p99.9", "latency.p99.9", [](const Moment& m) { return of_latency(m, &Latencies::p999); }},
          {"max", "latency.max", [](const Moment& m) { return of_latency(m, &Latencies::max); }}};
}

std::string per_second(double value) { return shown_number(value) + "/s"; }
std::string cores(double value) { return shown_number(value); }

}  // namespace

std::string rate_chart(Subjects subjects) {
  return figure_of({.id = "rate",
                    .title = "Rate over time",
                    .description = "Messages that were received and sent in each second.",
                    .quantities = {{"received", "received", [](const Moment& m) { return m.received; }},
                                   {"sent", "sent", [](const Moment& m) { return m.sent; }}},
                    .shown = per_second},
                   subjects);
}

std::string percentile_charts(Subjects subjects) {
  std::string text;
  if (subjects.size() > 1)
    text += figure_of({.id = "p99",
                       .title = "99th percentile over time",
                       .description = "Of each second, what 99 of 100 messages did not exceed.",
                       .quantities = {percentiles()[1]},
                       .shown = shown_time,
                       .logarithmic = true,
                       .cell = time_cell},
                      subjects);
  for (std::size_t n = 0; n < subjects.size(); ++n)
    text += figure_of({.id = fmt::format("percentiles-{}", n),
                       .title = subjects.size() == 1 ? "Latency over time"
                                                     : fmt::format("Latency over time: {}", subjects[n].name),
                       .description = "Percentiles of each second, on a logarithmic axis.",
                       .quantities = percentiles(),
                       .shown = shown_time,
                       .logarithmic = true,
                       .cell = time_cell},
                      subjects.subspan(n, 1), Among{.result = n, .all = subjects});
  return text;
}

std::string processor_chart(Subjects subjects) {
  return figure_of(
      {.id = "cpu",
       .title = "Processors in use",
       .description = "Of the tool and, if it was watched, of the broker; 1 is one processor all the time.",
       .quantities = {{"tool", "tool_cpu", [](const Moment& m) { return m.tool_cpu; }},
                      {"broker", "broker_cpu", [](const Moment& m) { return m.broker_cpu; }}},
       .shown = cores},
      subjects);
}

std::string memory_chart(Subjects subjects) {
  return figure_of(
      {.id = "memory",
       .title = "Memory of the broker",
       .description = "What the broker’s process had in main memory.",
       .quantities = {{"broker", "broker_rss_bytes", [](const Moment& m) { return m.broker_rss_bytes; }}},
       .shown = shown_bytes,
       .cell = bytes_cell},
      subjects);
}

std::string connections_chart(Subjects subjects) {
  return figure_of(
      {.id = "connections",
       .title = "Connections",
       .description = "How many clients were connected at the end of each second.",
       .quantities = {{"connections", "connections", [](const Moment& m) { return m.connections; }}},
       .shown = shown_number},
      subjects);
}

}  // namespace mq::bench::report
