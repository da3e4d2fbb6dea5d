#include "mqsub/screen.hpp"

#include <sys/ioctl.h>

#include <algorithm>

#include <mqtt/util/text.hpp>

namespace mq {
namespace {

// ECMA-48, and xterm's private modes 7 (wrap), 25 (cursor) and 1049 (second screen).
constexpr std::string_view open_sequence = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view close_sequence = "\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::string_view to_top = "\x1b[H";
constexpr std::string_view clear_line = "\x1b[K";
constexpr std::string_view reverse = "\x1b[7m";
constexpr std::string_view normal = "\x1b[0m";
constexpr std::string_view clear_below = "\x1b[J";

}  // namespace

ScreenSize screen_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {.columns = size.ws_col, .rows = size.ws_row};
}

void Screen::open(std::string& out) {
  out += open_sequence;
  open_ = true;
}

void Screen::close(std::string& out) {
  if (!open_) return;
  out += close_sequence;
  open_ = false;
}

void Screen::draw(std::string& out, const std::vector<std::string>& lines, ScreenSize size) const {
  out += to_top;
  const std::size_t count = std::min(lines.size(), size.rows);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += "\r\n";
    const bool heading = i == 0;
    if (heading) out += reverse;
    out += cut_to_columns(lines[i], size.columns);
    out += clear_line;
    if (heading) out += normal;
  }
  if (count == size.rows) return;
  if (count > 0) out += "\r\n";
  out += clear_below;
}

std::string_view cut_to_columns(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  for (; end < text.size(); ++end)
    if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && columns-- == 0) break;
  return text.substr(0, end);
}

std::string one_line(std::string_view text, std::size_t bytes_max) {
  return mqtt::escape_for_terminal(text.substr(0, bytes_max));
}

}  // namespace mq
