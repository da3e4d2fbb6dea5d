#pragma once
#include <cstdint>
#include <string_view>

#include <mqtt/codec/property.hpp>
#include <mqtt/codec/types.hpp>
#include <mqtt/util/bytes.hpp>
#include <mqtt/util/error.hpp>

#include "common/sentences.hpp"

namespace mq {

/// One message to publish. The views live for the call that it is passed to.
struct OutgoingMessage {
  std::string_view topic;
  mqtt::QoS qos = mqtt::QoS::at_most_once;
  bool retain = false;
  mqtt::PropertiesView properties{};
  mqtt::SharedBytes payload{};
  std::uint64_t record = 0;  ///< its number in all the inputs, from 1; 0 if there are none
};

/// Where a feed's messages go. None of these may destroy the feed.
class FeedSink {
 public:
  /// Asked before each message; pump() follows once there is room again.
  [[nodiscard]] virtual bool has_room() = 0;
  /// An error: the message can never be sent. To be passed to reject() with what the feed knows of it; or,
  /// if it is one of the system, to on_feed_error(): the message was not taken, and no other can be.
  [[nodiscard]] virtual mqtt::Result<void> publish(const OutgoingMessage& message) = 0;
  /// One that will not be published, and why.
  virtual void reject(const Sentence& why) = 0;
  /// Time has passed: to call pump().
  virtual void on_feed_due() = 0;
  /// All messages have been published or rejected.
  virtual void on_feed_end() = 0;
  /// Nothing more will come.
  virtual void on_feed_error(const mqtt::Error& error) = 0;

 protected:
  ~FeedSink() = default;
};

/// Where messages come from: as fast as the sink has room, and no faster.
class Feed {
 public:
  virtual ~Feed() = default;
  /// There may be room.
  virtual void pump() = 0;
  virtual void stop() = 0;
  [[nodiscard]] virtual bool at_end() const = 0;
};

}  // namespace mq
