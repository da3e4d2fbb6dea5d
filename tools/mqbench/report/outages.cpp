#include <fmt/format.h>

#include <algorithm>

#include "mqbench/report/charts.hpp"
#include "mqbench/report/html.hpp"
#include "mqbench/report/page.hpp"
#include "mqbench/report/table.hpp"

namespace mq::bench::report {
namespace {

using results::StoredOutage;

/// Of one result; a merged one may have more than anybody reads.
constexpr std::size_t shown_max = 300;
/// The style's grey.
constexpr unsigned only_result_color = 7;

std::span<const StoredOutage> shown_of(const Subject& subject) {
  const std::span<const StoredOutage> all = subject.result->outages;
  return all.first(std::min(all.size(), shown_max));
}

double seconds_of(const std::optional<std::int64_t>& ns, std::uint64_t otherwise) {
  return ns ? static_cast<double>(*ns) / 1e9 : static_cast<double>(otherwise);
}

std::string seconds_text(double seconds) { return fmt::format("{:.3f} s", seconds); }

Cell seconds_cell(double seconds) { return {.shown = seconds_text(seconds), .value = exact(seconds)}; }

/// To the nanosecond if it is known so, else the second.
Cell moment_cell(const std::optional<std::int64_t>& ns, std::uint64_t second) {
  if (!ns) return seconds_cell(static_cast<double>(second));
  return {.shown = seconds_text(seconds_of(ns, second)), .value = exact(static_cast<double>(*ns))};
}

Row row_of(const StoredOutage& outage, std::size_t result, std::size_t n, std::string name) {
  const auto path = [n](std::string_view key) { return fmt::format("outages[{}].{}", n, key); };
  const auto number = [&](std::uint64_t value, std::string_view key) {
    return from(number_cell(static_cast<double>(value)), result, path(key));
  };
  const auto moment = [&](const std::optional<std::int64_t>& ns, std::uint64_t second, std::string_view exact,
                          std::string_view rounded) {
    return from(moment_cell(ns, second), result, path(ns ? exact : rounded));
  };
  Row row{.name = std::move(name), .cells = {}};
  row.cells.push_back(moment(outage.began_ns, outage.from, "began_ns", "from_s"));
  row.cells.push_back(outage.over ? moment(outage.recovered_ns, outage.to, "recovered_ns", "to_s")
                                  : text_cell("never"));
  row.cells.push_back(number(outage.connections, "connections"));
  row.cells.push_back(number(outage.received, "received"));
  row.cells.push_back(outage.lost ? number(*outage.lost, "lost") : no_cell());
  if (outage.part) row.cells.push_back(number(*outage.part, "part"));
  return row;
}

std::string table_of(const Subject& subject, std::size_t result, bool named) {
  const auto shown = shown_of(subject);
  if (shown.empty()) return "";
  Table table{
      .caption = named ? "outages of " + subject.name : "outages",
      .columns = {"", "began", "all was back", "connections at least", "messages that came", "messages lost"},
      .rows = {}};
  if (std::ranges::any_of(shown, [](const StoredOutage& each) { return each.part.has_value(); }))
    table.columns.emplace_back("part");
  if (shown.size() < subject.result->outages.size())
    table.caption += fmt::format(", the first {} of {}", shown.size(), subject.result->outages.size());
  for (std::size_t n = 0; n < shown.size(); ++n)
    table.rows.push_back(row_of(shown[n], result, n, fmt::format("{}", n + 1)));
  return draw(table);
}

Mark mark_of(const StoredOutage& outage, unsigned color, std::string_view whose) {
  const double from = seconds_of(outage.began_ns, outage.from);
  const double to = seconds_of(outage.recovered_ns, outage.to);
  return {.name = fmt::format("outage{}: from {}{}", whose, seconds_text(from),
                              outage.over ? " to " + seconds_text(to) : " on"),
          .color = color,
          .from = from,
          .to = to};
}

}  // namespace

std::vector<Mark> outage_marks(Subjects subjects) {
  std::vector<Mark> marks;
  for (std::size_t n = 0; n < subjects.size(); ++n)
    for (const StoredOutage& outage : shown_of(subjects[n]))
      marks.push_back(subjects.size() == 1
                          ? mark_of(outage, only_result_color, "")
                          : mark_of(outage, static_cast<unsigned>(n), " of " + subjects[n].name));
  return marks;
}

std::string outage_tables(Subjects subjects) {
  std::string text;
  for (std::size_t n = 0; n < subjects.size(); ++n) text += table_of(subjects[n], n, subjects.size() > 1);
  return text.empty() ? text : R"(<h2>Outages</h2><div class="card">)" + text + "</div>";
}

}  // namespace mq::bench::report
