#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mqbench/report/chart.hpp"
#include "mqbench/report/html.hpp"

namespace mq::bench::report {
namespace {

/// From 1; a single message is seen, and so is the difference between a hundred and a thousand.
unsigned level_of(std::uint64_t count, std::uint64_t most) {
  if (most <= 1) return heat_levels;
  const double share = std::log(static_cast<double>(count)) / std::log(static_cast<double>(most));
  return 1 + static_cast<unsigned>(std::lround(share * (heat_levels - 1)));
}

void draw_cell(SvgOut out, const HeatMap& map, const Plot& plot, const HeatCell& cell, unsigned level) {
  const double left = plot.x(map.x.at(cell.from)), right = plot.x(map.x.at(cell.to));
  const double top = plot.y(map.y.at(cell.high)), bottom = plot.y(map.y.at(cell.low));
  fmt::format_to(
      out,
      R"(<rect class="cell h{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}</title></rect>)",
      level, left, top, std::max(right - left, 1.0), bottom - top,
      escaped(fmt::format("{:g} s to {:g} s\n{} to {}\n{} messages", cell.from, cell.to, map.shown(cell.low),
                          map.shown(cell.high), shown_number(static_cast<double>(cell.count)))));
}

}  // namespace

std::string draw(const HeatMap& map, const Canvas& canvas) {
  std::string text;
  const SvgOut out{text};
  const Plot plot{canvas, 62};
  std::uint64_t most = 0;
  for (const HeatCell& cell : map.cells) most = std::max(most, cell.count);
  open_svg(out, canvas, map.id, map.title, map.description);
  draw_axes(out, plot, map.x, map.y, "seconds since the start");
  draw_marks(out, plot, map.x, map.marks);
  for (const HeatCell& cell : map.cells) draw_cell(out, map, plot, cell, level_of(cell.count, most));
  return text + "</svg>";
}

}  // namespace mq::bench::report
