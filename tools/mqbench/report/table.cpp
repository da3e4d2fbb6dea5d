#include "mqbench/report/table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mqbench/report/html.hpp"

namespace mq::bench::report {
namespace {

std::string draw(const Cell& cell) {
  std::string attributes;
  if (!cell.value.empty()) attributes += fmt::format(R"( class="n" data-value="{}")", escaped(cell.value));
  if (!cell.path.empty())
    attributes += fmt::format(R"( data-path="{}" data-result="{}")", escaped(cell.path), cell.result);
  return fmt::format("<td{}>{}</td>", attributes, escaped(cell.shown));
}

/// Columns of numbers stand to the right.
bool is_of_numbers(const Table& table, std::size_t column) {
  return column > 0 && std::ranges::any_of(table.rows, [column](const Row& row) {
           return column <= row.cells.size() && !row.cells[column - 1].value.empty();
         });
}

}  // namespace

Cell text_cell(std::string_view text) { return {.shown = std::string{text}}; }

Cell no_cell() { return {.shown = "–"}; }

Cell time_cell(double ns) { return {.shown = shown_time(ns), .value = exact(ns)}; }

Cell number_cell(double value) { return {.shown = shown_number(value), .value = exact(value)}; }

Cell bytes_cell(double value) { return {.shown = shown_bytes(value), .value = exact(value)}; }

Cell from(Cell cell, std::size_t result, std::string path) {
  cell.result = result;
  cell.path = std::move(path);
  return cell;
}

std::string draw(const Table& table) {
  std::string text = fmt::format(
      R"(<div class="scroll" tabindex="0" role="region" aria-label="{0}"><table><caption>{0}</caption><thead><tr>)",
      escaped(table.caption));
  for (std::size_t n = 0; n < table.columns.size(); ++n)
    text += fmt::format(R"(<th scope="col"{}>{}</th>)", is_of_numbers(table, n) ? R"( class="n")" : "",
                        escaped(table.columns[n]));
  text += "</tr></thead><tbody>";
  for (const Row& row : table.rows) {
    text += fmt::format(R"(<tr><th scope="row">{}</th>)", escaped(row.name));
    for (const Cell& cell : row.cells) text += draw(cell);
    text += "</tr>";
  }
  return text + "</tbody></table></div>";
}

}  // namespace mq::bench::report
