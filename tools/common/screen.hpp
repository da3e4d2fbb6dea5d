#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mq {

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

/// Of the terminal on `fd`; 80 by 24 if it does not say.
[[nodiscard]] ScreenSize screen_size(int fd);

/// Draws whole frames on a terminal's second screen, which leaves the first as it was. Everything is
/// appended to the output of the caller: nothing is written here.
class Screen {
 public:
  /// Turns to the second screen and hides the cursor.
  void open(std::string& out);
  /// Draws `lines` from the top, the first one as a heading, each cut to the width, and clears the rest. No
  /// more lines than rows.
  void draw(std::string& out, const std::vector<std::string>& lines, ScreenSize size) const;
  /// Turns back. Nothing without open(), and nothing twice.
  void close(std::string& out);

  [[nodiscard]] bool is_open() const { return open_; }

 private:
  bool open_ = false;
};

/// As much from the front as takes at most `columns` cells: East Asian characters and emoji take two,
/// combining ones and our own colours none. Other control characters must have been escaped.
[[nodiscard]] std::string_view cut_to_columns(std::string_view text, std::size_t columns);
/// One line without control characters: what a terminal may be shown of a payload or a topic.
[[nodiscard]] std::string one_line(std::string_view text, std::size_t bytes_max);

}  // namespace mq
