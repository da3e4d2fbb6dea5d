#include "mqspy/reassembly.hpp"

#include <algorithm>

namespace mq::spy {

using mqtt::Bytes;
using mqtt::TimePoint;

/// Serial number arithmetic: the nearest place with these low 32 bits (RFC 1982).
std::uint64_t StreamOrder::place_of(std::uint32_t sequence) const {
  const auto distance = static_cast<std::int32_t>(sequence - static_cast<std::uint32_t>(*next_));
  if (distance < 0 && *next_ < static_cast<std::uint64_t>(-std::int64_t{distance})) return 0;
  return *next_ + static_cast<std::uint64_t>(static_cast<std::int64_t>(distance));
}

void StreamOrder::add(unsigned side, const TcpSegment& segment, StreamHandler& handler) {
  if (!next_) begin(segment.sequence);
  const std::uint64_t at = place_of(segment.sequence + (segment.syn ? 1 : 0));
  if (segment.fin && !fin_) fin_ = at + segment.payload_size;
  Bytes bytes = segment.payload;
  if (at < *next_) bytes = bytes.subspan(std::min<std::uint64_t>(*next_ - at, bytes.size()));
  if (bytes.empty()) return;
  if (at <= *next_ && waiting_.empty()) {
    *next_ += bytes.size();
    return handler.on_bytes(side, segment.time, bytes);
  }
  hold(std::max(at, *next_), segment.time, bytes);
  hand_over_waiting(side, handler);
  give_up(side, segment.time, handler);
}

/// Only where nothing waits yet: the first copy wins.
void StreamOrder::hold(std::uint64_t at, TimePoint time, Bytes bytes) {
  auto behind = waiting_.upper_bound(at);
  if (behind != waiting_.begin()) {
    const auto& [begin, before] = *std::prev(behind);
    const std::uint64_t end = begin + before.bytes.size();
    const std::uint64_t covered = end > at ? std::min<std::uint64_t>(end - at, bytes.size()) : 0;
    bytes = bytes.subspan(covered);
    at += covered;
  }
  while (!bytes.empty()) {
    const std::uint64_t room = behind == waiting_.end() ? bytes.size() : behind->first - at;
    const Bytes part = bytes.first(std::min<std::uint64_t>(room, bytes.size()));
    if (!part.empty()) waiting_.emplace_hint(behind, at, Waiting{time, {part.begin(), part.end()}});
    waiting_bytes_ += part.size();
    bytes = bytes.subspan(part.size());
    at += part.size();
    if (bytes.empty()) return;
    const std::uint64_t covered = std::min<std::uint64_t>(behind->second.bytes.size(), bytes.size());
    bytes = bytes.subspan(covered);
    at += covered;
    ++behind;
  }
}

void StreamOrder::hand_over_waiting(unsigned side, StreamHandler& handler) {
  while (!waiting_.empty() && waiting_.begin()->first <= *next_) {
    auto node = waiting_.extract(waiting_.begin());
    const Waiting& first = node.mapped();
    waiting_bytes_ -= first.bytes.size();
    const std::uint64_t known = std::min<std::uint64_t>(*next_ - node.key(), first.bytes.size());
    const Bytes bytes = Bytes{first.bytes}.subspan(known);
    *next_ += bytes.size();
    if (!bytes.empty()) handler.on_bytes(side, first.time, bytes);
  }
}

void StreamOrder::give_up(unsigned side, TimePoint time, StreamHandler& handler) {
  while (!waiting_.empty() && (acknowledged_ > *next_ || waiting_bytes_ > waiting_max_bytes)) {
    const std::uint64_t begin = waiting_.begin()->first;
    if (begin > *next_) handler.on_missing(side, time, begin - *next_);
    *next_ = std::max(*next_, begin);
    hand_over_waiting(side, handler);
  }
}

void StreamOrder::acknowledge(unsigned side, TimePoint time, std::uint32_t sequence, StreamHandler& handler) {
  if (!next_) return;
  acknowledged_ = std::max(acknowledged_, place_of(sequence));
  // Without anything behind it, it may just be that the acknowledgement was captured first.
  if (acknowledged_ > *next_ && !waiting_.empty()) give_up(side, time, handler);
}

void StreamOrder::finish(unsigned side, TimePoint time, StreamHandler& handler) {
  if (!next_) return;
  while (!waiting_.empty()) {
    const std::uint64_t begin = waiting_.begin()->first;
    if (begin > *next_) handler.on_missing(side, time, begin - *next_);
    *next_ = std::max(*next_, begin);
    hand_over_waiting(side, handler);
  }
  const std::uint64_t end =
      std::max(acknowledged_ - (fin_ && acknowledged_ > *fin_ ? 1 : 0), fin_.value_or(0));
  if (end > *next_ && fin_) handler.on_missing(side, time, end - *next_);
}

}  // namespace mq::spy
