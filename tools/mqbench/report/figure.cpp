#include "mqbench/report/figure.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mqbench/report/html.hpp"

namespace mq::bench::report {
namespace {

std::string assemble(std::string_view id, std::string_view title, std::string_view description,
                     const std::string& legend, const std::string& drawings, const Table& numbers) {
  return fmt::format(
      R"(<figure id="{}"><figcaption><h3>{}</h3><p class="soft">{}</p></figcaption>{}{}<details><summary>Numbers</summary>{}</details></figure>)",
      id, escaped(title), escaped(description), legend, drawings, draw(numbers));
}

std::string legend_of(const LineChart& chart) {
  std::string text = R"(<ul class="legend">)";
  for (const Series& series : chart.series)
    text += fmt::format(
        R"(<li><svg viewBox="0 0 26 10" aria-hidden="true"><path class="line s{} d{}" d="M2 5H24"/></svg>{}</li>)",
        series.color, series.dash, escaped(series.name));
  if (!chart.marks.empty())
    text +=
        R"(<li><svg viewBox="0 0 26 10" aria-hidden="true"><rect class="mark c7" width="26" height="10"/></svg>outage</li>)";
  return text + "</ul>";
}

std::string legend_of(const HeatMap& map) {
  std::uint64_t most = 0;
  for (const HeatCell& cell : map.cells) most = std::max(most, cell.count);
  std::string text = R"(<div class="legend"><span class="ramp">1 )";
  for (unsigned level = 1; level <= heat_levels; ++level)
    text += fmt::format(R"(<i class="h{}"></i>)", level);
  return text + fmt::format(" {} messages</span></div>", shown_number(static_cast<double>(most)));
}

}  // namespace

std::string figure(const LineChart& chart, const Table& numbers) {
  return assemble(chart.id, chart.title, chart.description, legend_of(chart),
                  draw(chart, wide_canvas) + draw(chart, narrow_canvas), numbers);
}

std::string figure(const RangeChart& chart, const Table& numbers) {
  return assemble(chart.id, chart.title, chart.description, "",
                  draw(chart, wide_canvas) + draw(chart, narrow_canvas), numbers);
}

std::string figure(const HeatMap& wide, const HeatMap& narrow, const Table& numbers) {
  return assemble(wide.id, wide.title, wide.description, legend_of(wide),
                  draw(wide, wide_canvas) + draw(narrow, narrow_canvas), numbers);
}

}  // namespace mq::bench::report
