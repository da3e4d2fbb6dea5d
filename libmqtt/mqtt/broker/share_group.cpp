#include <mqtt/broker/share_group.hpp>

namespace mqtt::broker {

std::size_t ShareGroup::next_start() {
  const std::size_t start = turn_;
  turn_ = turn_ + 1 < members_.size() ? turn_ + 1 : 0;
  return start;
}

bool ShareGroup::put(const Subscription& member) {
  const bool first = members_.empty();
  if (members_.put(member)) return true;
  // Who comes in before the turn moves the one whose turn it is up.
  if (!first && members_.place_of(member.subscriber) <= turn_) ++turn_;
  return false;
}

bool ShareGroup::erase(SubscriberId subscriber) {
  const std::size_t place = members_.place_of(subscriber);
  if (!members_.erase(subscriber)) return false;
  if (place < turn_) --turn_;
  if (turn_ >= members_.size()) turn_ = 0;
  return true;
}

}  // namespace mqtt::broker
