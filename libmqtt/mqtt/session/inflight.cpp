#include <mqtt/session/inflight.hpp>

namespace mqtt {
namespace {

/// Places that are kept once nothing is in flight.
constexpr std::size_t kept_slots = 32;

}  // namespace

const Inflight::Entry* Inflight::find(PacketId id) const {
  const std::uint32_t* slot = index_.find(id);
  return slot ? &slots_[*slot] : nullptr;
}

void Inflight::add(PacketId id, const PublishView& message, const SharedBytes& payload, Deadline expires) {
  const std::uint32_t slot = take_slot();
  Entry& entry = slots_[slot];
  entry.message.assign(message, payload);
  bytes_ += entry.message.size();
  own_bytes_ += entry.message.own_size();
  entry.expires = expires;
  entry.id = id;
  entry.qos = message.qos;
  entry.stage = Stage::published;
  entry.dup = false;
  entry.sent = false;
  link_at_end(slot);
  index_.put(id, slot);
}

void Inflight::mark_sent(PacketId id) {
  Entry& entry = slots_[*index_.find(id)];
  if (!entry.sent) ++sent_;
  entry.sent = true;
}

void Inflight::release(PacketId id, ReasonCode reason) {
  const std::uint32_t slot = *index_.find(id);
  Entry& entry = slots_[slot];
  forget_message(entry);
  entry.stage = Stage::released;
  entry.reason = reason;
  unlink(slot);
  link_at_end(slot);
}

void Inflight::remove(PacketId id) {
  const std::uint32_t* found = index_.find(id);
  if (!found) return;
  const std::uint32_t slot = *found;
  index_.erase(id);
  Entry& entry = slots_[slot];
  if (entry.sent) --sent_;
  forget_message(entry);
  unlink(slot);
  free_.push_back(slot);
  if (size() == 0 && slots_.size() > kept_slots) clear();
}

void Inflight::clear() {
  slots_ = std::vector<Entry>{};  // {} would keep its room
  free_ = std::vector<std::uint32_t>{};
  index_.clear();
  sent_ = 0;
  bytes_ = 0;
  own_bytes_ = 0;
}

void Inflight::forget_message(Entry& entry) {
  bytes_ -= entry.message.size();
  own_bytes_ -= entry.message.own_size();
  entry.message.clear();
}

void Inflight::begin_connection(bool dup) {
  for (std::uint32_t slot = first(); slot != 0; slot = slots_[slot].next) {
    Entry& entry = slots_[slot];
    entry.dup = dup && (entry.dup || entry.sent);
    entry.sent = false;
  }
  sent_ = 0;
}

const Inflight::Entry* Inflight::next(const Entry* after) const {
  const std::uint32_t slot = after ? after->next : first();
  return slot == 0 ? nullptr : &slots_[slot];
}

void Inflight::link_at_end(std::uint32_t slot) {
  Entry& anchor = slots_[0];
  Entry& entry = slots_[slot];
  entry.previous = anchor.previous;
  entry.next = 0;
  slots_[anchor.previous].next = slot;
  anchor.previous = slot;
}

void Inflight::unlink(std::uint32_t slot) {
  const Entry& entry = slots_[slot];
  slots_[entry.previous].next = entry.next;
  slots_[entry.next].previous = entry.previous;
}

std::uint32_t Inflight::take_slot() {
  if (slots_.empty()) slots_.emplace_back();
  if (free_.empty()) {
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  return slot;
}

}  // namespace mqtt
