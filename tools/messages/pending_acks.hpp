#pragma once
#include <cstdint>
#include <deque>

#include <mqtt/session/session_handler.hpp>

namespace mq {

/// Messages whose acknowledgement waits until their output has been written.
class PendingAcks {
 public:
  /// `position` is where the message's output ends, as bytes ever appended (Stdout::position()).
  void add(std::uint64_t position, mqtt::AckToken token) {
    if (token.needs_ack()) waiting_.push_back({position, token});
  }

  /// Calls `ack` for each message whose output is written, in order.
  template <class Ack>
  void release(std::uint64_t written, Ack ack) {
    for (; !waiting_.empty() && waiting_.front().position <= written; waiting_.pop_front())
      ack(waiting_.front().token);
  }

 private:
  struct Waiting {
    std::uint64_t position;
    mqtt::AckToken token;
  };

  std::deque<Waiting> waiting_;
};

}  // namespace mq
