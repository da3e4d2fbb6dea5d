#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include <mqtt/broker/message.hpp>
#include <mqtt/broker/subscription.hpp>
#include <mqtt/util/error.hpp>
#include <mqtt/util/siphash.hpp>

namespace mqtt::broker {

/// A session as a store keeps it. Views live for the call.
struct SessionRecord {
  SubscriberId id = 0;  ///< what it is called until it ends; then another may have the number
  std::string_view client_id{};
  std::string_view user{};  ///< empty: anonymous
  Version version = Version::v5;
  std::uint32_t expiry_interval = 0;  ///< seconds
  bool connected = false;             ///< and is to be, as far as the broker has a say in it
  Deadline ends_at{};                 ///< away, and not kept for ever
  const Will* will = nullptr;         ///< still to be published, or not
  Deadline will_at{};                 ///< away: when
};

/// Views live for the call.
struct SubscriptionRecord {
  SubscriberId session = 0;
  SubscriptionView subscription{};
  std::uint32_t identifier = 0;  ///< 0: none
  bool replays = false;          ///< retained messages are on their way to it
  /// replays: the number of the last message that may be among them, for what was retained later came live;
  /// 0: any.
  std::uint64_t replays_until = 0;
};

/// A QoS 1 or 2 message for one client. Views live for the call.
struct DeliveryRecord {
  std::uint64_t row = 0;  ///< its name in the store; rises with each delivery
  SubscriberId session = 0;
  MessagePtr message{};  ///< null: PUBREC has come, and only the packet identifier matters
  std::span<const std::uint32_t> identifiers{};  ///< of the subscriptions that match
  std::string_view share{};                      ///< "$share/NAME/FILTER" if it came by a shared subscription
  QoS qos = QoS::at_least_once;
  bool retain = false;
  PacketId packet_id = 0;  ///< 0: it waits in the queue
};

/// Takes what a store gives back: messages and retained ones, sessions, what they have. A fault says what
/// cannot be so.
class Recovery {
 public:
  /// What Message::publisher() was made with. Comes first.
  virtual void on_publisher_key(SipKey key) = 0;
  [[nodiscard]] virtual SipKey publisher_key() const = 0;
  /// Gives the number that the session has from now on; `record.id` is not looked at.
  [[nodiscard]] virtual Result<SubscriberId> on_session(const SessionRecord& record) = 0;
  [[nodiscard]] virtual Result<void> on_subscribed(const SubscriptionRecord& record) = 0;
  /// A retained QoS 2 message that was sent to one of on_subscribed() that replays.
  [[nodiscard]] virtual Result<void> on_replay_sent(SubscriberId session, std::string_view filter,
                                                    std::uint64_t message) = 0;
  /// A QoS 2 message of the client that has been taken over, and not been released.
  [[nodiscard]] virtual Result<void> on_received(SubscriberId session, PacketId id) = 0;
  [[nodiscard]] virtual MessagePtr make_message(const PublishView& publish, Deadline expires,
                                                std::uint64_t publisher, std::uint64_t number) = 0;
  virtual void on_retained(const MessagePtr& message) = 0;
  /// Those that are in flight in the order in which they were sent last, then the others by row.
  [[nodiscard]] virtual Result<void> on_delivery(const DeliveryRecord& delivery) = 0;

 protected:
  ~Recovery() = default;
};

enum class Urgency : std::uint8_t {
  may_wait,  ///< nobody is told before the next commit()
  promised,  ///< what is about to leave depends on it
};

/// Where what outlives the process goes. The broker tells of each change as it happens and calls commit()
/// once per turn, before any answer to it leaves. Views live for the call.
class Store {
 public:
  virtual ~Store() = default;

  /// False, for good: the store is told of retained messages alone, and nothing of it is asked.
  [[nodiscard]] virtual bool keeps() const { return true; }

  /// Null: no longer retained.
  virtual void on_retained(std::string_view topic, const MessagePtr& message) = 0;
  /// A new session, or one that has changed.
  virtual void on_session(const SessionRecord& session) = 0;
  /// With its subscriptions, what is in flight to it, and the ids that were received. What waits in its queue
  /// is given up one by one.
  virtual void on_session_ended(SubscriberId session) = 0;
  /// New, or replaced.
  virtual void on_subscribed(const SubscriptionRecord& record) = 0;
  /// The retained message of this number is a delivery of QoS 2 by now: the replay must not bring it again.
  virtual void on_replay_sent(SubscriberId session, std::string_view filter, std::uint64_t message) = 0;
  /// All retained messages have been sent, or are deliveries by now.
  virtual void on_replayed(SubscriberId session, std::string_view filter) = 0;
  virtual void on_unsubscribed(SubscriberId session, std::string_view filter) = 0;

  /// Waits, or is sent at once.
  virtual void on_delivery(const DeliveryRecord& delivery) = 0;
  /// It waited.
  virtual void on_sent(SubscriberId session, std::uint64_t row, const MessagePtr& message, PacketId id) = 0;
  /// It waited and is not going to be sent.
  virtual void on_given_up(std::uint64_t row, const MessagePtr& message) = 0;
  /// PUBREC has come: PUBREL follows.
  virtual void on_taken_over(SubscriberId session, PacketId id) = 0;
  /// PUBACK or PUBCOMP has come. The store may not know the id.
  virtual void on_finished(SubscriberId session, PacketId id) = 0;

  /// A QoS 2 message of the client has been taken over: PUBREC follows.
  virtual void on_received(SubscriberId session, PacketId id) = 0;
  /// PUBREL has come: PUBCOMP follows.
  virtual void on_released(SubscriberId session, PacketId id) = 0;

  /// Makes all that it was told durable; what nobody is told of may wait until next_deadline(). A fault:
  /// nothing of what was `promised` may leave. It is not lost by that: the store tries again by itself.
  [[nodiscard]] virtual Result<void> commit(TimePoint now, Urgency urgency) = 0;
  /// When commit() is to be called again.
  [[nodiscard]] virtual Deadline next_deadline() const { return std::nullopt; }
  /// Why the last attempt failed; null if it did not.
  [[nodiscard]] virtual const Error* fault() const { return nullptr; }
  /// Once, before it is told of anything.
  [[nodiscard]] virtual Result<void> recover(TimePoint /*now*/, Recovery& /*into*/) { return {}; }
  /// Writes what has waited: the last call. A fault: it is lost.
  [[nodiscard]] virtual Result<void> close() { return {}; }
};

/// Keeps nothing: memory only.
class NoStore final : public Store {
 public:
  bool keeps() const override { return false; }
  void on_retained(std::string_view, const MessagePtr&) override {}
  void on_session(const SessionRecord&) override {}
  void on_session_ended(SubscriberId) override {}
  void on_subscribed(const SubscriptionRecord&) override {}
  void on_replay_sent(SubscriberId, std::string_view, std::uint64_t) override {}
  void on_replayed(SubscriberId, std::string_view) override {}
  void on_unsubscribed(SubscriberId, std::string_view) override {}
  void on_delivery(const DeliveryRecord&) override {}
  void on_sent(SubscriberId, std::uint64_t, const MessagePtr&, PacketId) override {}
  void on_given_up(std::uint64_t, const MessagePtr&) override {}
  void on_taken_over(SubscriberId, PacketId) override {}
  void on_finished(SubscriberId, PacketId) override {}
  void on_received(SubscriberId, PacketId) override {}
  void on_released(SubscriberId, PacketId) override {}
  Result<void> commit(TimePoint, Urgency) override { return {}; }
};

}  // namespace mqtt::broker
