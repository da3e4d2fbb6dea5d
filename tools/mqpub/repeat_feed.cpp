#include "mqpub/repeat_feed.hpp"

#include <algorithm>
#include <utility>

namespace mq {

RepeatFeed::RepeatFeed(mqtt::net::Loop& loop, std::uint64_t times, mqtt::Duration delay, Callbacks callbacks)
    : loop_{loop},
      left_{times},
      delay_{delay},
      callbacks_{std::move(callbacks)},
      timer_{loop, [this] { callbacks_.on_due(); }} {}

void RepeatFeed::pump() {
  while (left_ > 0 && callbacks_.has_room()) {
    const mqtt::TimePoint now = loop_.now();
    if (next_ && now < *next_) return timer_.set(*next_);
    --left_;
    callbacks_.publish();
    // After a stall the pauses go on from here: what was missed does not come in one burst.
    if (delay_ > mqtt::Duration::zero()) next_ = std::max(now, next_.value_or(now)) + delay_;
  }
}

void RepeatFeed::stop() {
  left_ = 0;
  timer_.cancel();
}

}  // namespace mq
