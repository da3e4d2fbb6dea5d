#include "mqspy/ip_fragments.hpp"

#include <algorithm>
#include <utility>

namespace mq::spy {
namespace {

/// What an IP packet can hold.
constexpr std::size_t payload_max_bytes = 65'535;

}  // namespace

IpFragments::Place IpFragments::find(const IpFragment& fragment) {
  return std::ranges::find_if(packets_, [&fragment](const Packet& packet) {
    return packet.of.id == fragment.id && packet.of.from == fragment.from && packet.of.to == fragment.to;
  });
}

void IpFragments::drop(Place place) {
  waiting_ -= place->pieces.size();
  waiting_bytes_ -= place->bytes;
  given_up_ += place->pieces.size();
  packets_.erase(place);
}

void IpFragments::make_room(std::size_t bytes, mqtt::TimePoint now) {
  const auto too_much = [&] {
    return packets_.size() >= limits_.packets_max || waiting_bytes_ + bytes > limits_.waiting_max_bytes ||
           now - packets_.front().began > limits_.patience;
  };
  while (!packets_.empty() && too_much()) drop(packets_.begin());
}

/// Beside the pieces that are there, and inside the packet.
bool IpFragments::fits(const Packet& packet, const IpFragment& fragment) {
  const std::size_t end = fragment.offset + fragment.bytes.size();
  if (packet.size && (end > *packet.size || (!fragment.more && end != *packet.size))) return false;
  const auto behind = packet.pieces.lower_bound(fragment.offset);
  if (behind != packet.pieces.end() && (behind->first < end || (!fragment.more))) return false;
  if (behind == packet.pieces.begin()) return true;
  const auto& [at, before] = *std::prev(behind);
  return at + before.size() <= fragment.offset;
}

std::optional<IpFragments::Whole> IpFragments::add(const IpFragment& fragment) {
  const std::size_t size = fragment.bytes.size();
  const bool usable = fragment.complete && size > 0 && fragment.offset + size <= payload_max_bytes &&
                      (!fragment.more || size % 8 == 0);
  if (!usable) return ++given_up_, std::nullopt;
  make_room(size, fragment.time);
  Place place = find(fragment);
  if (place == packets_.end()) {
    place = packets_.insert(packets_.end(), Packet{.of = fragment, .began = fragment.time});
    place->of.bytes = {};
  }
  const auto same = place->pieces.find(fragment.offset);
  if (same != place->pieces.end() && same->second.size() == size) return std::nullopt;  // once more
  if (!fits(*place, fragment)) return drop(place), ++given_up_, std::nullopt;
  place->pieces[fragment.offset].assign(fragment.bytes.begin(), fragment.bytes.end());
  place->bytes += size;
  waiting_bytes_ += size;
  ++waiting_;
  if (!fragment.more) place->size = static_cast<std::uint32_t>(fragment.offset + size);
  if (fragment.offset == 0) place->next = fragment.next;
  if (!place->size || place->bytes < *place->size) return std::nullopt;
  Whole whole{.next = place->next};
  for (const auto& [at, piece] : place->pieces)
    whole.bytes.insert(whole.bytes.end(), piece.begin(), piece.end());
  given_up_ -= place->pieces.size();  // drop() counts them
  drop(place);
  return whole;
}

}  // namespace mq::spy
