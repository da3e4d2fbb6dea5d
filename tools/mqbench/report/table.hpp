#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace mq::bench::report {

/// A cell: words, and for a number the exact one behind them, by which a program can read the page.
struct Cell {
  std::string shown;
  std::string value{};  ///< of data-value; empty: none
  std::string
      path{};  ///< of data-path: where in the result it stands ("counts.sent"); empty: it was computed
  std::size_t result = 0;  ///< of data-result, with a path
};

[[nodiscard]] Cell text_cell(std::string_view text);
/// "–", for what is not known.
[[nodiscard]] Cell no_cell();
[[nodiscard]] Cell time_cell(double ns);
[[nodiscard]] Cell number_cell(double value);
[[nodiscard]] Cell bytes_cell(double value);
/// The same cell, which the result with this number has at `path`.
[[nodiscard]] Cell from(Cell cell, std::size_t result, std::string path);

struct Row {
  std::string name;
  std::vector<Cell> cells;
};

struct Table {
  std::string caption;
  std::vector<std::string> columns;  ///< the first is that of the rows' names
  std::vector<Row> rows;
};

/// In a box that scrolls to the side where it does not fit.
[[nodiscard]] std::string draw(const Table& table);

}  // namespace mq::bench::report
