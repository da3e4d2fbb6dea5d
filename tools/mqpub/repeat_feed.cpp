#include "mqpub/repeat_feed.hpp"

#include <utility>

namespace mq {

RepeatFeed::RepeatFeed(mqtt::net::Loop& loop, std::uint64_t times, mqtt::Duration delay,
                       std::function<void()> publish)
    : loop_{loop}, left_{times}, delay_{delay}, publish_{std::move(publish)}, timer_{loop, [this] {
                                                                                       pump(has_room_);
                                                                                     }} {}

void RepeatFeed::pump(const std::function<bool()>& has_room) {
  has_room_ = has_room;
  while (left_ > 0 && has_room()) {
    if (next_ && loop_.now() < *next_) return timer_.set(*next_);
    --left_;
    publish_();
    if (delay_ > mqtt::Duration::zero()) next_ = next_.value_or(loop_.now()) + delay_;
  }
}

void RepeatFeed::stop() {
  left_ = 0;
  timer_.cancel();
}

}  // namespace mq
