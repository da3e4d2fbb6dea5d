#include <mqtt/session/received.hpp>

#include <utility>

namespace mqtt {
namespace {

/// Of an AckQueue in which nothing waits.
constexpr std::size_t kept_places = 64;

}  // namespace

void ReceivedIds::begin_connection() {
  records_.for_each([](PacketId, Record& record) {
    record.counted = false;
    record.place = {};
  });
}

void AckQueue::begin_connection(std::uint32_t epoch) {
  ring_ = std::vector<Place>{};  // {} would keep its room
  size_ = 0;
  first_ = 0;
  epoch_ = epoch;
}

AckToken AckQueue::push(PacketId id, QoS qos) {
  if (size_ == ring_.size()) grow();
  const auto sequence = static_cast<std::uint32_t>(first_ + size_);
  Place& place = at(sequence);
  place.token = {id, epoch_, sequence};
  place.qos = qos;
  place.acknowledged = false;
  ++size_;
  return place.token;
}

std::optional<QoS> AckQueue::find(const AckToken& token) const {
  if (token.epoch != epoch_ || token.sequence - first_ >= size_) return std::nullopt;
  const Place& place = at(token.sequence);
  if (place.token != token || place.acknowledged) return std::nullopt;
  return place.qos;
}

void AckQueue::acknowledge(const AckToken& token, ReasonCode reason, PropertiesView properties) {
  Place& place = at(token.sequence);
  place.acknowledged = true;
  place.reason = reason;
  place.properties = Properties{properties};
}

std::optional<ReadyAck> AckQueue::pop() {
  if (size_ == 0 || !at(first_).acknowledged) return std::nullopt;
  ReadyAck ready = std::move(static_cast<ReadyAck&>(at(first_)));
  ++first_;
  --size_;
  if (size_ == 0 && ring_.size() > kept_places) ring_ = std::vector<Place>{};
  return ready;
}

void AckQueue::grow() {
  std::vector<Place> larger(ring_.empty() ? 8 : 2 * ring_.size());
  for (std::uint32_t i = 0; i < size_; ++i)
    larger[(first_ + i) & (larger.size() - 1)] = std::move(at(first_ + i));
  ring_ = std::move(larger);
}

}  // namespace mqtt
