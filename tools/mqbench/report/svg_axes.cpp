#include "mqbench/report/svg_axes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mqbench/report/html.hpp"

namespace mq::bench::report {
namespace {

/// About that of a digit at the style's 12 units.
constexpr double letter_width = 6.8;

void draw_x_axis(SvgOut out, const Plot& plot, const Scale& scale) {
  double free_from = 0;
  for (const Tick& tick : scale.ticks()) {
    const double x = plot.x(scale.at(tick.value));
    fmt::format_to(out, R"(<path class="{}" d="M{:.1f} {:.1f}V{:.1f}"/>)",
                   tick.label.empty() ? "faint" : "grid", x, plot.y(1), plot.y(0));
    const double half = static_cast<double>(tick.label.size()) * letter_width / 2;
    const double middle = std::min(x, plot.x(1) + plot_margin - half);
    if (tick.label.empty() || middle - half < free_from) continue;
    free_from = middle + half + letter_width;
    fmt::format_to(out, R"(<text x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>)", middle,
                   plot.y(0) + 17, escaped(tick.label));
  }
}

void draw_y_axis(SvgOut out, const Plot& plot, const Scale& scale) {
  for (const Tick& tick : scale.ticks()) {
    const double y = plot.y(scale.at(tick.value));
    fmt::format_to(out, R"(<path class="{}" d="M{:.1f} {:.1f}H{:.1f}"/>)",
                   tick.label.empty() ? "faint" : "grid", plot.x(0), y, plot.x(1));
    if (!tick.label.empty())
      fmt::format_to(out, R"(<text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)", plot.left - 8, y + 4,
                     escaped(tick.label));
  }
}

}  // namespace

void open_svg(SvgOut out, const Canvas& canvas, std::string_view id, std::string_view title,
              std::string_view description) {
  fmt::format_to(
      out,
      R"(<svg class="{0}" viewBox="0 0 {1:g} {2:g}" role="img" aria-labelledby="{3}-{0}-t {3}-{0}-d">)"
      R"(<title id="{3}-{0}-t">{4}</title><desc id="{3}-{0}-d">{5}</desc>)",
      canvas.name, canvas.width, canvas.height, id, escaped(title), escaped(description));
}

void draw_axes(SvgOut out, const Plot& plot, const Scale& x, const Scale& y, std::string_view x_name) {
  draw_x_axis(out, plot, x);
  draw_y_axis(out, plot, y);
  fmt::format_to(out, R"(<text class="name" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>)", plot.x(1),
                 plot.y(0) + 34, escaped(x_name));
}

}  // namespace mq::bench::report
