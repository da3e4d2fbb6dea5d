#pragma once
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "common/diag.hpp"

namespace mq {

/// While it lives, the lines of `diag` wait, for a view owns the screen; at its end they are written to
/// standard error. Of more than lines_max the last ones.
class HeldLines {
 public:
  static constexpr std::size_t lines_max = 50;

  /// `on_line` hears of each of them, to show it in the view.
  HeldLines(Diag& diag, std::function<void(std::string_view)> on_line);
  ~HeldLines();
  HeldLines(const HeldLines&) = delete;
  HeldLines& operator=(const HeldLines&) = delete;

 private:
  void hold(std::string_view line);

  Diag& diag_;
  std::function<void(std::string_view)> on_line_;
  std::deque<std::string> lines_;
};

}  // namespace mq
