#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/chunk.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt::broker {

/// Counts messages for as long as anybody keeps them, each once. They share it, for some outlive the broker:
/// in a store, or in the last output of a connection.
struct MessageAccount {
  std::size_t bytes = 0;
};

/// What a Store knows of a message: kept with it, so that no table is searched for it.
struct StoreMark {
  std::uint32_t rows = 0;  // deliveries in the store, or on their way there, that need the message
  bool written = false;    // it is in the store
  bool noted = false;      // the store looks at it with the next commit
};

/// An Application Message, stored once and shared by all who receive it.
class Message {
 public:
  /// Copies `publish`. Topic Alias and Message Expiry Interval are left out of the properties: the
  /// one belongs to the publisher's connection, the other becomes `expires`.
  /// `publisher` is a number that stands for the client id it came from, by which clients know their own
  /// messages again (No Local). `number` is its place among all: a later message has a higher one.
  Message(const PublishView& publish, Deadline expires, std::uint64_t publisher, std::uint64_t number = 0,
          std::shared_ptr<MessageAccount> account = nullptr);
  ~Message();
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  [[nodiscard]] std::string_view topic() const { return std::string_view{text_}.substr(0, topic_size_); }
  [[nodiscard]] PropertiesView properties() const;
  [[nodiscard]] Bytes payload() const { return as_bytes(text_).subspan(topic_size_ + properties_size_); }
  [[nodiscard]] QoS qos() const { return qos_; }
  /// As it was published.
  [[nodiscard]] bool retain() const { return retain_; }
  [[nodiscard]] std::uint64_t publisher() const { return publisher_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] Deadline expires() const { return expires_; }
  [[nodiscard]] bool expired(TimePoint now) const { return expires_ && *expires_ <= now; }
  /// The store's, which nobody else looks at.
  [[nodiscard]] StoreMark& mark() const { return mark_; }
  /// What it costs to keep: for the bounds on queues and retained messages.
  [[nodiscard]] std::size_t size_bytes() const { return overhead_bytes + text_.size(); }
  /// At most what a message made of `publish` will cost.
  [[nodiscard]] static std::size_t size_of(const PublishView& publish) {
    return overhead_bytes + publish.topic.size() + publish.properties.encoded().size() +
           publish.payload.size();
  }

 private:
  static constexpr std::size_t overhead_bytes = 128;  // the object, its control block, a place in a queue

  std::string text_;  // topic, properties, payload
  std::uint32_t topic_size_ = 0;
  std::uint32_t properties_size_ = 0;
  Deadline expires_;
  std::uint64_t publisher_;
  std::uint64_t number_;
  std::shared_ptr<MessageAccount> account_;  // null: nobody counts it
  mutable StoreMark mark_;
  QoS qos_;
  bool retain_;
};

/// Without Topic Alias and Message Expiry Interval: what goes from publisher to subscriber as it is.
[[nodiscard]] Properties travelling_properties(PropertiesView properties);

using MessagePtr = std::shared_ptr<const Message>;

/// A client's will, kept until it is published or discarded.
struct Will {
  MessagePtr message;
  bool retain = false;
  std::uint32_t delay = 0;                // seconds
  std::optional<std::uint32_t> expiry{};  // Message Expiry Interval, seconds from its publication
};

/// The payload with the message as its owner.
[[nodiscard]] inline SharedBytes shared_payload(const MessagePtr& message) {
  return {message->payload(), message};
}

}  // namespace mqtt::broker
