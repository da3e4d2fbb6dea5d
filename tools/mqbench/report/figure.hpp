#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mqbench/report/chart.hpp"
#include "mqbench/report/table.hpp"

namespace mq::bench::report {

/// A chart with its heading, what its lines are, and its numbers.
[[nodiscard]] std::string figure(const LineChart& chart, const Table& numbers);
[[nodiscard]] std::string figure(const RangeChart& chart, const Table& numbers);
/// Of the same data, with coarser columns for narrow pages.
[[nodiscard]] std::string figure(const HeatMap& wide, const HeatMap& narrow, const Table& numbers);

}  // namespace mq::bench::report
