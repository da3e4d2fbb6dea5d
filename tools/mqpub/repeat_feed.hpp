#pragma once
#include <cstdint>
#include <functional>

#include <mqtt/net/loop.hpp>

namespace mq {

/// One message after another a number of times, with a pause between if asked for.
class RepeatFeed {
 public:
  struct Callbacks {
    std::function<bool()> has_room;  ///< asked before each message
    std::function<void()> publish;
    std::function<void()> on_due;  ///< the pause is over: to call pump()
  };

  RepeatFeed(mqtt::net::Loop& loop, std::uint64_t times, mqtt::Duration delay, Callbacks callbacks);

  /// Publishes as often as it is due and there is room. Call it again when there may be room.
  void pump();
  void stop();
  [[nodiscard]] bool at_end() const { return left_ == 0; }

 private:
  mqtt::net::Loop& loop_;
  std::uint64_t left_;
  mqtt::Duration delay_;
  Callbacks callbacks_;
  mqtt::net::Timer timer_;
  mqtt::Deadline next_;  // not before
};

}  // namespace mq
