#include <mqtt/util/utf8.hpp>

namespace mqtt {
namespace {

/// True if eight bytes are all in 0x01..0x7F.
bool plain_ascii(const std::uint8_t* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  return (word & highs) == 0 && ((word - ones) & highs) == 0;
}

bool in(std::uint8_t value, std::uint8_t low, std::uint8_t high) { return value >= low && value <= high; }

/// Bytes of the well-formed sequence at the front of `b`, or 0. The rows of Unicode table 3-7.
std::size_t sequence_length(Bytes b) {
  const std::uint8_t lead = b[0];
  if (lead < 0x80) return 1;
  const auto tail = [&](std::size_t i) { return i < b.size() && in(b[i], 0x80, 0xBF); };
  if (in(lead, 0xC2, 0xDF)) return tail(1) ? 2 : 0;
  if (in(lead, 0xE0, 0xEF)) {
    const std::uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;
    const std::uint8_t high = lead == 0xED ? 0x9F : 0xBF;  // surrogates end here
    return b.size() > 1 && in(b[1], low, high) && tail(2) ? 3 : 0;
  }
  if (in(lead, 0xF0, 0xF4)) {
    const std::uint8_t low = lead == 0xF0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;
    return b.size() > 1 && in(b[1], low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::optional<Utf8Error> find_utf8_error(Bytes bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (bytes.size() - at >= 8 && plain_ascii(bytes.data() + at)) {
      at += 8;
      continue;
    }
    if (bytes[at] == 0) return Utf8Error{Utf8Fault::nul, at};
    const std::size_t length = sequence_length(bytes.subspan(at));
    if (length == 0) return Utf8Error{Utf8Fault::ill_formed, at};
    at += length;
  }
  return std::nullopt;
}

}  // namespace mqtt
