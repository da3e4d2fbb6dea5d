#include "common/screen.hpp"

#include <sys/ioctl.h>
#include <wchar.h>

#include <algorithm>
#include <clocale>
#include <cwchar>

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

/// While it lives this thread's wide characters are Unicode, whatever the user's locale says: our output is
/// UTF-8.
class Utf8Locale {
 public:
  Utf8Locale() : before_{::uselocale(shared())} {}
  ~Utf8Locale() { ::uselocale(before_); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  /// The C library's own table of widths; without it every character counts as one.
  static locale_t shared() {
    static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{});
    return utf8;
  }

  locale_t before_;
};

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

struct Character {
  std::size_t bytes;
  std::size_t cells;
};

Character first_character(std::string_view text) {
  if (text[0] == '\x1b') return {std::min(text.find('m'), text.size() - 1) + 1, 0};  // a colour (SGR)
  if (static_cast<unsigned char>(text[0]) < 0x80) return {1, 1};
  std::mbstate_t state{};
  wchar_t character = 0;
  const std::size_t bytes = std::mbrtowc(&character, text.data(), text.size(), &state);
  if (bytes == 0 || bytes > text.size()) return {1, 1};  // not UTF-8
  const int cells = ::wcwidth(character);
  return {bytes, cells < 0 ? 1 : static_cast<std::size_t>(cells)};
}

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
    const std::string_view line = cut_to_columns(lines[i], size.columns);
    out += line;
    if (!heading && line.contains('\x1b')) out += normal;  // the end of the colour may have been cut off
    out += clear_line;
    if (heading) out += normal;
  }
  if (count == size.rows) return;
  if (count > 0) out += "\r\n";
  out += clear_below;
}

std::string_view cut_to_columns(std::string_view text, std::size_t columns) {
  const Utf8Locale locale;
  std::size_t end = 0, used = 0;
  while (end < text.size()) {
    const auto [bytes, cells] = first_character(text.substr(end));
    if (used + cells > columns) break;
    used += cells;
    end += bytes;
  }
  return text.substr(0, end);
}

std::string one_line(std::string_view text, std::size_t bytes_max) {
  std::size_t end = std::min(text.size(), bytes_max);
  // Not in the middle of a character, which would be shown as bytes.
  constexpr std::size_t continuation_max = 3;
  for (std::size_t back = 0; end < text.size() && back < continuation_max && is_continuation(text[end]);
       ++back)
    --end;
  return mqtt::escape_for_terminal(text.substr(0, end));
}

}  // namespace mq
