#include <mqtt/server/sieve.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include <mqtt/codec/types.hpp>

namespace mqtt::server {
namespace {

constexpr std::uint8_t plain_message = 0x30;  // PUBLISH, QoS 0, no flag

/// Of the whole packet; 0: that is not known yet. Nothing: it is none.
std::optional<std::size_t> packet_size(Bytes start) {
  std::size_t length = 0;
  for (std::size_t i = 1; i <= 4; ++i) {
    if (i >= start.size()) return 0;
    length |= std::size_t{start[i] & 0x7Fu} << (7 * (i - 1));
    if (start[i] == 0 && i > 1) return std::nullopt;  // not in its shortest form [MQTT-1.5.5-1]
    if (!(start[i] & 0x80)) return length + i + 1;
  }
  return std::nullopt;
}

/// Of a packet, or of a part of one; more than the part has where that ends before the header does.
std::size_t header_size(Bytes packet) {
  std::size_t size = 2;
  while (size <= packet.size() && packet[size - 1] & 0x80) ++size;
  return size;
}

/// Answers and signs of life bring no message with them and change nothing about who gets which.
bool changes_nothing(std::uint8_t first_byte) {
  switch (first_byte) {
    case 0x40:               // PUBACK
    case 0x50:               // PUBREC
    case 0x62:               // PUBREL
    case 0x70:               // PUBCOMP
    case 0xC0: return true;  // PINGREQ
    default: return false;
  }
}

Bytes take(Bytes& from, std::size_t size) {
  const Bytes taken = from.first(size);
  from = from.subspan(size);
  return taken;
}

}  // namespace

Sieve::Piece Sieve::next(Bytes& input, std::size_t kept_max) {
  if (std::exchange(given_, false)) kept_.reset();
  if (!kept_->empty()) return next_of_kept(input, kept_max);
  if (input.empty()) return {};
  if (lost_) return {.kind = Kind::other, .bytes = take(input, input.size()), .order = Order::all};
  if (passing_ > 0) {
    const Bytes part = take(input, std::min(passing_, input.size()));
    passing_ -= part.size();
    return {.kind = Kind::other, .bytes = part};
  }
  const auto size = packet_size(input);
  lost_ = !size;
  if (lost_) return next(input, kept_max);
  if (*size > 0 && *size <= input.size()) return judge(take(input, *size), true);
  const bool keeps = *size == 0 || (input[0] == plain_message && *size <= kept_max);
  const Bytes part = take(input, input.size());
  if (keeps) {
    kept_.make().assign(part.begin(), part.end());
    return {};
  }
  passing_ = *size - part.size();
  return judge(part, false);
}

Sieve::Piece Sieve::next_of_kept(Bytes& input, std::size_t kept_max) {
  std::vector<std::uint8_t>& kept = kept_.make();
  auto size = packet_size(kept);
  for (; size && *size == 0 && !input.empty(); size = packet_size(kept)) kept.push_back(take(input, 1)[0]);
  if (size && *size == 0) return {};
  lost_ = !size;
  if (lost_) return give_kept();
  const std::size_t missing = *size - kept.size();
  const bool keeps = kept[0] == plain_message && *size <= kept_max;
  if (!keeps && missing > input.size()) {
    passing_ = missing;
    return give_kept();
  }
  const Bytes part = take(input, std::min(missing, input.size()));
  kept.insert(kept.end(), part.begin(), part.end());
  if (part.size() < missing) return {};
  given_ = true;
  Piece whole = judge(kept, true);
  whole.copied = true;
  return whole;
}

Sieve::Piece Sieve::give_kept() {
  given_ = true;
  Piece part = judge(*kept_, false);
  part.copied = true;
  return part;
}

/// `start`: a packet, or the first part of one.
Sieve::Piece Sieve::judge(Bytes start, bool whole) {
  Piece piece{.kind = Kind::other, .bytes = start, .order = Order::all};
  if (changes_nothing(start[0])) piece.order = Order::none;
  if (start[0] >> 4 != static_cast<std::uint8_t>(PacketType::publish)) return piece;
  const std::size_t header = header_size(start);
  if (start.size() < header + 2) return piece;
  const Bytes body = start.subspan(header);
  const std::size_t topic_size = std::size_t{body[0]} << 8 | body[1];
  if (body.size() < 2 + topic_size || topic_size == 0) return piece;
  piece.topic = as_text(body.subspan(2, topic_size));
  piece.order = Order::of_topic;
  if (!whole || start[0] != plain_message) return piece;
  piece.kind = Kind::message;
  piece.rest = body.subspan(2 + topic_size);
  return piece;
}

std::vector<std::uint8_t> Sieve::take_kept() {
  std::vector<std::uint8_t> kept;
  if (!std::exchange(given_, false)) kept = *kept_;
  kept_.reset();
  return kept;
}

PlainMessage::PlainMessage(Bytes packet, bool has_properties) {
  const Bytes body = packet.subspan(header_size(packet));
  topic = body.first(2 + (std::size_t{body[0]} << 8 | body[1]));
  payload = body.subspan(topic.size() + (has_properties ? 1 : 0));
}

std::size_t PacketEnds::next(Bytes bytes) {
  std::size_t used = 0;
  while (header_bytes_ > 0 || left_ == 0) {
    if (used == bytes.size()) return used;
    const std::uint8_t byte = bytes[used++];
    if (header_bytes_ == 0) {
      first_byte_ = byte;
      header_bytes_ = 1;
      continue;
    }
    left_ |= (byte & 0x7Fu) << (7 * (header_bytes_ - 1));
    ++header_bytes_;
    if (byte & 0x80) continue;
    header_bytes_ = 0;
    if (left_ == 0) return used;
  }
  const std::size_t part = std::min<std::size_t>(left_, bytes.size() - used);
  left_ -= static_cast<std::uint32_t>(part);
  return used + part;
}

}  // namespace mqtt::server
