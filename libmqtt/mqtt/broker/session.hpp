#pragma once
#include <array>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <mqtt/broker/access.hpp>
#include <mqtt/broker/events.hpp>
#include <mqtt/broker/message.hpp>
#include <mqtt/broker/replays.hpp>
#include <mqtt/broker/topic_tree.hpp>
#include <mqtt/session/session_state.hpp>
#include <mqtt/util/rare.hpp>
#include <mqtt/util/timers.hpp>

namespace mqtt::broker {

class Connection;

/// What "never" is in a Session Expiry Interval (3.1.2.11.2).
inline constexpr std::uint32_t never_expires = 0xFFFF'FFFF;

/// A message for one client, and how it is to get it.
struct Delivery {
  MessagePtr message;
  std::vector<std::uint32_t> identifiers{};  ///< of its subscriptions that match
  /// Of a shared subscription: another member may get the message instead.
  std::optional<TopicTree::Position> shared{};
  QoS qos = QoS::at_most_once;
  bool retain = false;
  std::uint64_t row = 0;  ///< in the store; 0: it is not there

  /// What it counts against the client's bounds. A message that waits for many clients counts for each.
  [[nodiscard]] std::size_t size_bytes() const { return own_bytes() + message->size_bytes(); }
  /// Without the message: what it counts against the bound of all, where the message counts once.
  [[nodiscard]] std::size_t own_bytes() const {
    return sizeof(Delivery) + identifiers.size() * sizeof(std::uint32_t);
  }
};

/// The order of their messages, oldest first.
[[nodiscard]] inline bool comes_before(const Delivery& a, const Delivery& b) {
  return a.message->number() < b.message->number();
}

/// Messages that wait for a client, in order. Holds no memory while empty.
class DeliveryQueue {
 public:
  [[nodiscard]] bool empty() const { return !waiting_; }
  [[nodiscard]] std::size_t size() const { return waiting_ ? waiting_->list.size() : 0; }
  [[nodiscard]] std::size_t bytes() const { return waiting_ ? waiting_->bytes : 0; }
  /// It must not be empty.
  [[nodiscard]] const Delivery& front() const { return waiting_->list.front(); }

  void push(Delivery delivery);
  Delivery pop();
  Delivery pop_newest();
  /// The oldest one of QoS 0, if there is one: the first to go when there is no room.
  [[nodiscard]] std::optional<Delivery> take_qos_0();
  /// All that nobody needs any more.
  [[nodiscard]] std::vector<Delivery> take_expired(TimePoint now);
  /// All that came by these shared subscriptions, in order.
  [[nodiscard]] std::vector<Delivery> take_shared(const std::set<TopicTree::Position>& groups);
  /// After older messages were pushed than some that waited.
  void put_in_order();

 private:
  void forget(const Delivery& delivery);
  template <class Condition>
  [[nodiscard]] std::vector<Delivery> take_if(Condition condition);

  struct Waiting {
    std::deque<Delivery> list;
    Deadline expires_from;  // no message expires before
    std::size_t bytes = 0;
    std::size_t qos_0 = 0;
  };
  void forget_if_empty();
  std::unique_ptr<Waiting> waiting_;
};

/// How a client that reads slowly stands.
enum class Reading : std::uint8_t {
  keeps_up,
  behind,   ///< its queue is long; publishers wait for it
  stopped,  ///< it has taken nothing for slow_consumer_grace; nobody waits for it any more
  awaited,  ///< it was connected when the broker ended, and has return_grace to come back to its successor
};

/// What a broker keeps of one client, connected or not: its Session State (4.1).
struct Session {
  explicit Session(SubscriberId number, std::string client_id) : id{number} {
    identity.client_id = std::move(client_id);
  }

  [[nodiscard]] const std::string& client_id() const { return identity.client_id; }

  SubscriberId id;
  Reading reading = Reading::keeps_up;
  Version version = Version::v5;
  bool kept = false;                  // all of it is in the store
  bool told = false;                  // the store knows of it: at least its Will, or some of its deliveries
  std::uint32_t expiry_interval = 0;  // seconds, in force
  std::uint32_t match_place = 0;      // see `match`
  Identity identity;
  Connection* connection = nullptr;
  struct Subscriptions {
    std::set<TopicTree::Position> positions;
    std::size_t weight = 0;  // weight_of() their filters
  };
  Rare<Subscriptions> subscriptions;
  DeliveryQueue queue;
  Replays replays;
  struct InFlight {
    /// QoS 1 messages that came by a shared subscription: if the session ends, another member gets them.
    /// Those of QoS 2 are this client's alone [MQTT-4.8.2-4].
    std::unordered_map<PacketId, Delivery> shared;
    std::size_t counted = 0;  // in the account of all memory
  };
  Rare<InFlight> in_flight;
  std::unique_ptr<Will> will;

  struct Absence {     // there is no connection
    Deadline will_at;  // the will is not published yet
    Deadline ends_at;
    std::unique_ptr<SessionState> state;
  };
  Rare<Absence> absence;
  struct Delay {
    Deadline stops_at;  // behind: when it counts as stopped
    TimePoint since{};
  };
  Rare<Delay> behind;
  TimerPlace timer;

  struct Drops {
    std::array<std::uint64_t, drop_reasons> untold{};
    Deadline tell_at;  // what has come together since the last time
  };
  std::unique_ptr<Drops> drops;

  // Of the match under way, so that overlapping subscriptions become one delivery.
  std::uint64_t match = 0;
};

static_assert(sizeof(Session) <= 184, "thousands are idle");

}  // namespace mqtt::broker
