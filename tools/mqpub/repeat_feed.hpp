#pragma once
#include <cstdint>
#include <functional>

#include <mqtt/net/loop.hpp>

namespace mq {

/// One message a number of times, with a pause between if asked for.
class RepeatFeed {
 public:
  RepeatFeed(mqtt::net::Loop& loop, std::uint64_t times, mqtt::Duration delay, std::function<void()> publish);

  /// Publishes as often as it is due and `has_room` says yes. Call it again when there may be room.
  void pump(const std::function<bool()>& has_room);
  void stop();
  [[nodiscard]] bool at_end() const { return left_ == 0; }

 private:
  mqtt::net::Loop& loop_;
  std::uint64_t left_;
  mqtt::Duration delay_;
  std::function<void()> publish_;
  std::function<bool()> has_room_;
  mqtt::net::Timer timer_;
  mqtt::Deadline next_;  // not before
};

}  // namespace mq
