// What is at the top: is it good, and how much?
#include <fmt/format.h>

#include <functional>

#include "mqbench/report/html.hpp"
#include "mqbench/report/page.hpp"
#include "mqbench/report/table.hpp"

namespace mq::bench::report {
namespace {

using results::StoredLatency;
using results::StoredResult;

std::string_view meaning(std::string_view verdict) {
  if (verdict == "valid")
    return "The numbers are the broker’s: neither the tool nor the network was the limit.";
  if (verdict == "tool-bound") return "The numbers are those of the tool or its machine, not of the broker.";
  if (verdict == "broker-bound") return "The broker took less than was asked of it.";
  if (verdict == "network-bound") return "The network between tool and broker was the limit.";
  return "";
}

std::string_view look_of(const StoredResult& result) {
  if (result.passed == false) return "bad";
  return result.verdict == "valid" && !result.interrupted ? "good" : "warn";
}

std::string thresholds(const StoredResult& result) {
  if (result.thresholds.empty()) return "";
  std::string text = R"(<ul class="tests" aria-label="thresholds">)";
  for (const auto& threshold : result.thresholds)
    text += fmt::format(R"(<li class="{}">{} {}: {}</li>)", threshold.passed ? "good" : "bad",
                        threshold.passed ? "✓" : "✗", escaped(threshold.expression),
                        threshold.passed ? "met" : "missed");
  return text + "</ul>";
}

std::string verdict(const Subject& subject, bool named) {
  const StoredResult& result = *subject.result;
  std::string text = fmt::format(R"(<section class="verdict {}"><b>{}{}</b>)", look_of(result),
                                 named ? escaped(subject.name) + ": " : "", escaped(result.verdict));
  if (result.passed) text += *result.passed ? " · thresholds met" : " · a threshold was missed";
  if (result.interrupted) text += " · interrupted";
  text += fmt::format("<p>{}</p>", meaning(result.verdict));
  if (!result.reason.empty()) text += fmt::format("<p>Reason: {}</p>", escaped(result.reason));
  for (const std::string& note : result.notes) text += fmt::format("<p>Note: {}</p>", escaped(note));
  return text + thresholds(result) + "</section>";
}

/// A name and, of each result, a cell.
struct Figure {
  std::string name;
  std::function<Cell(const StoredResult&, std::size_t)> cell;
};

Figure latency_figure(std::string name, std::string key, double percent) {
  return {std::move(name), [key = std::move(key), percent](const StoredResult& result, std::size_t n) {
            const StoredLatency* latency = result.main_latency();
            if (!latency) return no_cell();
            return from(time_cell(static_cast<double>(latency->histogram.at_percentile(percent))), n,
                        fmt::format("latency_ns.{}.{}", latency->name, key));
          }};
}

Figure number_figure(std::string name, std::string path, double (*value)(const StoredResult&)) {
  return {std::move(name), [path = std::move(path), value](const StoredResult& result, std::size_t n) {
            return from(number_cell(value(result)), n, path);
          }};
}

std::vector<Figure> figures() {
  return {number_figure("received per second", "rates.received_per_second",
                        [](const StoredResult& r) { return r.received_per_second; }),
          number_figure("sent per second", "rates.sent_per_second",
                        [](const StoredResult& r) { return r.sent_per_second; }),
          latency_figure("latency p50", "p50", 50),
          latency_figure("latency p99", "p99", 99),
          latency_figure("latency p99.9", "p99.9", 99.9),
          latency_figure("latency max", "max", 100),
          number_figure("lost", "counts.lost",
                        [](const StoredResult& r) { return static_cast<double>(r.count("lost")); }),
          number_figure("tool CPU-s per million", "tool.cpu_s_per_million",
                        [](const StoredResult& r) { return r.cpu_s_per_million; })};
}

std::string tiles(const StoredResult& result) {
  std::string text = R"(<dl class="tiles">)";
  for (const Figure& figure : figures()) {
    const Cell cell = figure.cell(result, 0);
    const std::string data = cell.path.empty()
                                 ? ""
                                 : fmt::format(R"( data-value="{}" data-path="{}" data-result="0")",
                                               cell.value, escaped(cell.path));
    text += fmt::format("<div><dt>{}</dt><dd{}>{}</dd></div>", figure.name, data, cell.shown);
  }
  return text + "</dl>";
}

}  // namespace

std::string verdicts(Subjects subjects) {
  std::string text;
  for (const Subject& subject : subjects) text += verdict(subject, subjects.size() > 1);
  return text;
}

std::string key_figures(Subjects subjects) {
  if (subjects.size() == 1) return tiles(*subjects.front().result);
  Table table{.caption = "side by side", .columns = {""}, .rows = {}};
  for (const Subject& subject : subjects) table.columns.push_back(subject.name);
  for (const Figure& figure : figures()) {
    Row row{.name = figure.name, .cells = {}};
    for (std::size_t n = 0; n < subjects.size(); ++n)
      row.cells.push_back(figure.cell(*subjects[n].result, n));
    table.rows.push_back(std::move(row));
  }
  return R"(<h2>Side by side</h2><div class="card">)" + draw(table) + "</div>";
}

}  // namespace mq::bench::report
