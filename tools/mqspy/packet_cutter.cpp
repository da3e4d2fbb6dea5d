#include "mqspy/packet_cutter.hpp"

#include <algorithm>

namespace mq::spy {

std::optional<std::size_t> PacketCutter::packet_size(mqtt::Bytes bytes) {
  std::size_t length = 0;
  for (std::size_t i = 1; i <= 4; ++i) {
    if (i >= bytes.size()) return 0;
    length |= std::size_t{bytes[i] & 0x7Fu} << (7 * (i - 1));
    if ((bytes[i] & 0x80) == 0) return length + i + 1;
  }
  return std::nullopt;
}

void PacketCutter::hold(mqtt::Bytes& input, std::size_t size) {
  held_.append(mqtt::as_text(input.first(size)));
  input = input.subspan(size);
}

std::optional<PacketCutter::Cut> PacketCutter::next(mqtt::Bytes& input) {
  if (whole_) held_ = {};
  whole_ = false;
  if (broken_ || input.empty()) return std::nullopt;
  if (inside()) return next_piece(input, Cut::Part::piece);
  auto size = packet_size(held_.empty() ? input : mqtt::as_bytes(held_));
  while (size && *size == 0 && !input.empty()) {
    hold(input, 1);
    size = packet_size(mqtt::as_bytes(held_));
  }
  broken_ = !size;
  if (broken_ || *size == 0) return std::nullopt;
  if (*size <= packet_max_bytes) return next_whole(input, *size);
  large_ = to_come_ = *size;
  if (held_.empty()) return next_piece(input, Cut::Part::first_piece);
  whole_ = true;  // its header, which is all that is held
  to_come_ -= held_.size();
  return Cut{mqtt::as_bytes(held_), Cut::Part::first_piece, large_};
}

std::optional<PacketCutter::Cut> PacketCutter::next_whole(mqtt::Bytes& input, std::size_t size) {
  if (held_.empty() && size <= input.size()) {
    const mqtt::Bytes packet = input.first(size);
    input = input.subspan(size);
    return Cut{packet, Cut::Part::whole, size};
  }
  hold(input, std::min(size - held_.size(), input.size()));
  whole_ = held_.size() == size;
  return whole_ ? std::optional{Cut{mqtt::as_bytes(held_), Cut::Part::whole, size}} : std::nullopt;
}

PacketCutter::Cut PacketCutter::next_piece(mqtt::Bytes& input, Cut::Part part) {
  const mqtt::Bytes piece = input.first(std::min(to_come_, input.size()));
  input = input.subspan(piece.size());
  to_come_ -= piece.size();
  return {piece, part, large_};
}

}  // namespace mq::spy
