#pragma once
#include <optional>
#include <string>
#include <vector>

#include "mqbench/report/svg_axes.hpp"

namespace mq::bench::report {

/// A line. Where a value is absent it has a gap.
struct Series {
  std::string name;
  unsigned color = 0;                         ///< of the style's eight
  unsigned dash = 0;                          ///< 0: solid; 1, 2: two kinds of dashes
  std::vector<std::optional<double>> values;  ///< one per point
};

/// A part of the x axis that stands out behind the data.
struct Mark {
  std::string name;
  unsigned color = 0;
  double from = 0;
  double to = 0;
};

/// Before the data, which cover them; the shortest are still seen.
void draw_marks(SvgOut out, const Plot& plot, const Scale& x, const std::vector<Mark>& marks);

/// What several lines share.
struct LineChart {
  std::string id;
  std::string title;
  std::string description;  ///< a sentence for those who do not see it, and for those who do
  std::string x_name;
  std::vector<double> points;         ///< on the x axis
  std::vector<double> ends;           ///< there, too: what each stands for goes up to here; only with marks
  std::vector<std::string> captions;  ///< of the points
  std::vector<Series> series;
  std::vector<Mark> marks;
  Scale x;
  Scale y;
  Shown shown;
};

[[nodiscard]] std::string draw(const LineChart& chart, const Canvas& canvas);

/// From the least to the greatest value, with the middle of them and where 99 of 100 are.
struct RangeRow {
  std::string name;
  unsigned color = 0;
  double min = 0;
  double p50 = 0;
  double p99 = 0;
  double max = 0;
};

struct RangeChart {
  std::string id;
  std::string title;
  std::string description;
  std::vector<RangeRow> rows;
  Scale x;
  Shown shown;
};

[[nodiscard]] std::string draw(const RangeChart& chart, const Canvas& canvas);

/// A cell of a heat map that has something in it.
struct HeatCell {
  double from = 0;  ///< on the x axis
  double to = 0;
  double low = 0;  ///< on the y axis
  double high = 0;
  std::uint64_t count = 0;
};

struct HeatMap {
  std::string id;
  std::string title;
  std::string description;
  std::vector<HeatCell> cells;
  std::vector<Mark> marks;
  Scale x;
  Scale y;
  Shown shown;
};

/// From pale to strong, by the logarithm of the count.
inline constexpr unsigned heat_levels = 8;
[[nodiscard]] std::string draw(const HeatMap& map, const Canvas& canvas);

}  // namespace mq::bench::report
