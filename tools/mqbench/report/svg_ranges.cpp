#include <fmt/format.h>

#include "mqbench/report/chart.hpp"
#include "mqbench/report/html.hpp"

namespace mq::bench::report {
namespace {

constexpr double row_height = 44;

/// The name above, then a thin line from min to max, a thick one from p50 to p99, and a tick at p50.
void draw_row(SvgOut out, const RangeChart& chart, const Plot& plot, const RangeRow& row, double top) {
  const auto x = [&](double value) { return plot.x(chart.x.at(value)); };
  const double y = top + 29;
  fmt::format_to(out, R"(<text class="row" x="{:.1f}" y="{:.1f}">{}</text>)", plot.x(0), top + 15,
                 escaped(row.name));
  fmt::format_to(out, R"(<path class="line s{} thin" d="M{:.1f} {:.1f}H{:.1f}"/>)", row.color, x(row.min), y,
                 x(row.max));
  fmt::format_to(out, R"(<path class="line s{} thick" d="M{:.1f} {:.1f}H{:.1f}"/>)", row.color, x(row.p50), y,
                 x(row.p99));
  fmt::format_to(out, R"(<circle class="c{}" cx="{:.1f}" cy="{:.1f}" r="5.5"/>)", row.color, x(row.p50), y);
  fmt::format_to(
      out,
      R"(<rect class="hit" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>)",
      plot.x(0), top, plot.width, row_height,
      escaped(fmt::format("{}\nmin: {}\np50: {}\np99: {}\nmax: {}", row.name, chart.shown(row.min),
                          chart.shown(row.p50), chart.shown(row.p99), chart.shown(row.max))));
}

}  // namespace

std::string draw(const RangeChart& chart, const Canvas& canvas) {
  std::string text;
  const SvgOut out{text};
  Canvas fitting = canvas;
  fitting.height = static_cast<double>(chart.rows.size()) * row_height + 60;
  const Plot plot{fitting, 20};
  open_svg(out, fitting, chart.id, chart.title, chart.description);
  draw_axes(out, plot, chart.x, Scale::from_zero(1, [](double) { return std::string{}; }), "");
  double top = plot.top;
  for (const RangeRow& row : chart.rows) draw_row(out, chart, plot, row, top), top += row_height;
  return text + "</svg>";
}

}  // namespace mq::bench::report
