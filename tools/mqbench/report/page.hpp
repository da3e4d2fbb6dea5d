#pragma once
#include <span>
#include <string>
#include <vector>

#include "mqbench/report/timeline.hpp"

namespace mq::bench::report {

/// One result on the page.
struct Subject {
  const results::StoredResult* result = nullptr;
  std::string name;  ///< its file's, without directories unless two would be alike
  Timeline timeline;
  std::uint64_t seconds_each = 1;  ///< of the timeline: the same for all of a page
};
using Subjects = std::span<const Subject>;

/// So many lines can be told from each other: eight colours.
inline constexpr std::size_t results_max = 8;

/// One HTML file with everything in it: style, drawings, numbers, and a script without which only the values
/// under the pointer look plainer. It asks for nothing from anywhere. From 1 to results_max results.
[[nodiscard]] std::string page(std::span<const results::StoredResult> results);

/// The parts of the page, each a piece of HTML.
[[nodiscard]] std::string verdicts(Subjects subjects);
[[nodiscard]] std::string key_figures(Subjects subjects);
/// "" without outages.
[[nodiscard]] std::string outage_tables(Subjects subjects);
[[nodiscard]] std::string charts(Subjects subjects);
[[nodiscard]] std::string latency_tables(Subjects subjects);
[[nodiscard]] std::string circumstances(Subjects subjects);
[[nodiscard]] std::string_view style();
[[nodiscard]] std::string_view script();

}  // namespace mq::bench::report
