#include <mqtt/bridge/echoes.hpp>

namespace mqtt::bridge {

std::uint64_t Echoes::hash_of(std::string_view topic, Bytes payload) const {
  return siphash(key_, topic) * 0x9E37'79B9'7F4A'7C15u ^ siphash(key_, as_text(payload));
}

void Echoes::note(TimePoint now, std::string_view topic, Bytes payload) {
  forget_old(now);
  const std::uint64_t hash = hash_of(topic, payload);
  sent_.push_back({now + kept, hash});
  ++expected_[hash];
}

bool Echoes::take(TimePoint now, std::string_view topic, Bytes payload) {
  forget_old(now);
  const auto found = expected_.find(hash_of(topic, payload));
  if (found == expected_.end()) return false;
  ++returned_[found->first];
  if (--found->second == 0) expected_.erase(found);
  return true;
}

void Echoes::clear() {
  sent_.clear();
  returned_.clear();
  expected_.clear();
}

void Echoes::forget_old(TimePoint now) {
  while (!sent_.empty() && (sent_.front().until <= now || sent_.size() >= messages_max)) {
    forget_one(sent_.front().hash);
    sent_.pop_front();
  }
}

/// Of several that are the same the oldest has come back first.
void Echoes::forget_one(std::uint64_t hash) {
  auto& from = returned_.contains(hash) ? returned_ : expected_;
  const auto found = from.find(hash);
  if (--found->second == 0) from.erase(found);
}

}  // namespace mqtt::bridge
