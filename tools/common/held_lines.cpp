#include "common/held_lines.hpp"

#include <unistd.h>

#include <utility>

namespace mq {

HeldLines::HeldLines(Diag& diag, std::function<void(std::string_view)> on_line)
    : diag_{diag}, on_line_{std::move(on_line)} {
  diag_.set_writer([this](std::string_view line) { hold(line); });
}

HeldLines::~HeldLines() {
  diag_.set_writer({});
  for (const std::string& line : lines_) (void)!::write(STDERR_FILENO, line.data(), line.size());
}

void HeldLines::hold(std::string_view line) {
  if (lines_.size() >= lines_max) lines_.pop_front();
  lines_.emplace_back(line);
  on_line_(line);
}

}  // namespace mq
