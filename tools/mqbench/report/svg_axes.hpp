#pragma once
#include <iterator>
#include <string>
#include <string_view>

#include "mqbench/report/scale.hpp"

namespace mq::bench::report {

/// A drawing's size in its own units. Each chart is drawn for a wide and a narrow page, so that its words
/// have the size of the page's words on both.
struct Canvas {
  double width = 560;
  double height = 280;
  std::string_view name = "wide";  ///< of the class that shows it

  [[nodiscard]] bool narrow() const { return name == "narrow"; }
};
inline constexpr Canvas wide_canvas{};
inline constexpr Canvas narrow_canvas{.width = 340, .height = 240, .name = "narrow"};

/// Right of the plot.
inline constexpr double plot_margin = 14;

/// Where the data are, inside of the axes.
struct Plot {
  double left = 62;
  double top = 12;
  double width = 0;
  double height = 0;

  Plot(const Canvas& canvas, double label_width)
      : left{label_width}, width{canvas.width - label_width - plot_margin}, height{canvas.height - 12 - 40} {}

  [[nodiscard]] double x(double share) const { return left + share * width; }
  [[nodiscard]] double y(double share) const { return top + (1 - share) * height; }
};

using SvgOut = std::back_insert_iterator<std::string>;

/// The opening tag with title and description; `id` is of the figure. The caller closes it.
void open_svg(SvgOut out, const Canvas& canvas, std::string_view id, std::string_view title,
              std::string_view description);

/// Grid lines and words below and beside the plot. Words that would touch the ones before them are left out.
void draw_axes(SvgOut out, const Plot& plot, const Scale& x, const Scale& y, std::string_view x_name);

}  // namespace mq::bench::report
