#include "mqspy/packet_cutter.hpp"

#include <algorithm>

namespace mq::spy {

std::optional<std::size_t> PacketCutter::packet_size(mqtt::Bytes octets) {
  std::size_t length = 0;
  for (std::size_t i = 1; i <= 4; ++i) {
    if (i >= octets.size()) return 0;
    length |= std::size_t{octets[i] & 0x7Fu} << (7 * (i - 1));
    if ((octets[i] & 0x80) == 0) return length + i + 1;
  }
  return std::nullopt;
}

void PacketCutter::hold(mqtt::Bytes& input, std::size_t size) {
  held_.append(mqtt::as_text(input.first(size)));
  input = input.subspan(size);
}

std::optional<mqtt::Bytes> PacketCutter::next(mqtt::Bytes& input) {
  if (whole_) held_ = {};
  whole_ = false;
  if (broken_ || input.empty()) return std::nullopt;
  auto size = packet_size(held_.empty() ? input : mqtt::as_bytes(held_));
  if (held_.empty() && size && *size > 0 && *size <= input.size()) {
    const mqtt::Bytes packet = input.first(*size);
    input = input.subspan(*size);
    return packet;
  }
  while (size && *size == 0 && !input.empty()) {
    hold(input, 1);
    size = packet_size(mqtt::as_bytes(held_));
  }
  broken_ = !size;
  if (broken_ || *size == 0) return std::nullopt;
  hold(input, std::min(*size - held_.size(), input.size()));
  whole_ = held_.size() == *size;
  return whole_ ? std::optional{mqtt::as_bytes(held_)} : std::nullopt;
}

}  // namespace mq::spy
