#include "common/spelling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include <mqtt/util/text.hpp>

namespace mq {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment: three rows of the table are enough, a swap looks two rows back.
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string_view closest_name(std::string_view typed, std::span<const std::string> names) {
  std::string_view best;
  // A third of the letters may be wrong; beyond that a suggestion is noise.
  std::size_t best_distance = typed.size() / 3 + 1;
  for (const std::string& name : names) {
    if (!name.starts_with("--")) continue;
    const std::size_t distance = edit_distance(typed, name);
    if (distance >= best_distance) continue;
    best = name;
    best_distance = distance;
  }
  return best;
}

std::string elided(std::string_view text) {
  constexpr std::size_t most = 300, shown = 200;
  if (text.size() <= most) return std::string{text};
  std::size_t end = shown;
  while (end > shown - 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;  // whole characters
  return fmt::format("{}… ({} bytes)", text.substr(0, end), text.size());
}

std::string in_quotes(std::string_view text) {
  return fmt::format("'{}'", mqtt::escape_for_terminal(elided(text)));
}

}  // namespace mq
