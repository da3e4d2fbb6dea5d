#include <fmt/format.h>

#include <algorithm>

#include "mqbench/report/chart.hpp"
#include "mqbench/report/html.hpp"

namespace mq::bench::report {
namespace {

/// A point between two gaps is a dot: a line has no length there.
void draw_series(SvgOut out, const LineChart& chart, const Plot& plot, const Series& series) {
  std::string path, dots;
  bool pen_down = false;
  for (std::size_t n = 0; n < chart.points.size(); ++n) {
    if (!series.values[n]) {
      pen_down = false;
      continue;
    }
    const double x = plot.x(chart.x.at(chart.points[n])), y = plot.y(chart.y.at(*series.values[n]));
    path += fmt::format("{}{:.1f} {:.1f}", pen_down ? 'L' : 'M', x, y);
    const bool alone = !pen_down && (n + 1 == chart.points.size() || !series.values[n + 1]);
    if (alone)
      dots += fmt::format(R"(<circle class="c{}" cx="{:.1f}" cy="{:.1f}" r="3.5"/>)", series.color, x, y);
    pen_down = true;
  }
  if (!path.empty())
    fmt::format_to(out, R"(<path class="line s{} d{}" d="{}"/>{})", series.color, series.dash, path, dots);
}

std::string tip(const LineChart& chart, std::size_t point) {
  std::string text = chart.captions[point];
  for (const Series& series : chart.series)
    if (series.values[point])
      text += fmt::format("\n{}: {}", series.name, chart.shown(*series.values[point]));
  for (const Mark& mark : chart.marks)
    if (mark.from < chart.ends[point] && mark.to > (point == 0 ? 0 : chart.ends[point - 1]))
      text += "\n" + mark.name;
  return text;
}

/// An invisible column around each point, with what is there in words.
void draw_hits(SvgOut out, const LineChart& chart, const Plot& plot) {
  const auto x_of = [&](std::size_t point) { return plot.x(chart.x.at(chart.points[point])); };
  for (std::size_t n = 0; n < chart.points.size(); ++n) {
    const double from = n == 0 ? plot.x(0) : (x_of(n - 1) + x_of(n)) / 2;
    const double to = n + 1 == chart.points.size() ? plot.x(1) : (x_of(n) + x_of(n + 1)) / 2;
    fmt::format_to(
        out,
        R"(<rect class="hit" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>)",
        from, plot.y(1), to - from, plot.height, escaped(tip(chart, n)));
  }
}

}  // namespace

void draw_marks(SvgOut out, const Plot& plot, const Scale& x, const std::vector<Mark>& marks) {
  constexpr double width_min = 2;
  for (const Mark& mark : marks) {
    const double from = plot.x(x.at(mark.from));
    fmt::format_to(out, R"(<rect class="mark c{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>)",
                   mark.color, from, plot.y(1), std::max(plot.x(x.at(mark.to)) - from, width_min),
                   plot.height);
  }
}

std::string draw(const LineChart& chart, const Canvas& canvas) {
  std::string text;
  const SvgOut out{text};
  const Plot plot{canvas, 62};
  open_svg(out, canvas, chart.id, chart.title, chart.description);
  draw_axes(out, plot, chart.x, chart.y, chart.x_name);
  draw_marks(out, plot, chart.x, chart.marks);
  for (const Series& series : chart.series) draw_series(out, chart, plot, series);
  draw_hits(out, chart, plot);
  return text + "</svg>";
}

}  // namespace mq::bench::report
