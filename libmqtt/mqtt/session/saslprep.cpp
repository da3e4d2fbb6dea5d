#include <mqtt/session/saslprep.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <mqtt/session/saslprep_table.hpp>
#include <mqtt/session/session_fault.hpp>
#include <mqtt/util/utf8.hpp>

namespace mqtt {
namespace {

/// Takes one code point of well-formed UTF-8 off `text`.
char32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t value = size == 1 ? lead : lead & (0x7FU >> size);
  for (const char c : text.substr(1, size - 1)) value = value << 6 | (static_cast<unsigned char>(c) & 0x3FU);
  text.remove_prefix(size);
  return value;
}

bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c < 0xA0); }

bool is_stable(char32_t c) {
  if (c < 0x7F) return c >= 0x20;
  const auto after = std::ranges::upper_bound(saslprep_stable, c, {}, &CodePointRange::first);
  return after != saslprep_stable.begin() && c <= std::prev(after)->last;
}

}  // namespace

Result<void> check_saslprep(std::string_view text, std::string_view what) {
  const auto refused = [what](std::string_view why) {
    return fail(SessionFault::bad_credentials, fmt::format("{} {}", what, why));
  };
  if (!is_mqtt_utf8(as_bytes(text))) return refused("is not UTF-8, or holds U+0000");
  while (!text.empty()) {
    const char32_t c = take_code_point(text);
    if (is_control(c)) return refused("holds a control character, which SCRAM forbids");
    if (!is_stable(c))
      return refused("holds a character that SASLprep may change or forbids, which is not supported");
  }
  return {};
}

}  // namespace mqtt
