#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <mqtt/broker/message.hpp>
#include <mqtt/codec/packet.hpp>

namespace mqtt::store {

/// Milliseconds since 1970, as they stand in the database.
using UnixTime = std::int64_t;

/// Rows of the tables, as they are to be.
struct SessionRow {
  std::string client_id;
  std::string user;
  Version version = Version::v5;
  std::uint32_t expiry_interval = 0;
  bool connected = false;
  std::optional<UnixTime> ends_at;
  std::optional<broker::Will> will;
  std::optional<UnixTime> will_at;
};

/// A subscription of a session, as it is to be in the database.
struct SubscriptionRow {
  std::int64_t session = 0;
  std::string filter;
  SubscriptionOptions options;
  std::uint32_t identifier = 0;
  std::optional<std::int64_t> replays_until;  // the number of a message; none: it does not replay
  enum class Becomes : std::uint8_t { made, replayed, given_up } becomes = Becomes::made;
};

/// A message of QoS 2 that a client has sent and not released.
struct ReceivedRow {
  std::int64_t session = 0;
  PacketId id = 0;
  bool present = true;
};

/// A message that waits for a session, or is on its way to its client.
struct DeliveryRow {
  std::int64_t session = 0;
  broker::MessagePtr message;  // null: released
  std::string identifiers;
  std::string share;
  QoS qos = QoS::at_least_once;
  bool retain = false;
  bool present = true;  // or it has gone before it was written
  PacketId packet_id = 0;
  std::int64_t sent = 0;
};

/// What has changed since the last transaction, and is to be in the next. What came and went in between
/// leaves nothing to write.
struct Changes {
  /// A delivery, already in the database, that has left.
  struct Sent {
    std::uint64_t row;
    PacketId id;
    std::int64_t order;
  };
  /// Of a subscription.
  using ReplayKey = std::pair<std::int64_t, std::string>;
  /// A delivery, already in the database, whose PUBREC has come.
  struct Released {
    std::uint64_t row;
    std::int64_t order;
  };

  std::unordered_map<std::int64_t, SessionRow> sessions;
  std::vector<std::int64_t> ended;  // sessions
  std::vector<SubscriptionRow> subscriptions;
  std::map<ReplayKey, std::vector<std::int64_t>> replay_sent;  // since the last row of the subscription
  std::vector<ReceivedRow> received;
  std::vector<broker::MessagePtr> messages;  // whose marks say what is to be done
  std::uint64_t first_delivery = 0;          // the row of deliveries[0]; the others follow
  std::vector<DeliveryRow> deliveries;
  std::vector<Sent> sent;  // of deliveries that were written before, like the next two
  std::vector<Released> released;
  std::vector<std::uint64_t> finished;
  std::unordered_map<std::string, broker::MessagePtr> retained;  // null: no longer

  [[nodiscard]] bool empty() const {
    return sessions.empty() && ended.empty() && subscriptions.empty() && replay_sent.empty() &&
           received.empty() && messages.empty() && deliveries.empty() && sent.empty() && released.empty() &&
           finished.empty() && retained.empty();
  }
  /// Null if the delivery was written before.
  [[nodiscard]] DeliveryRow* find_unwritten(std::uint64_t row) {
    if (deliveries.empty() || row < first_delivery) return nullptr;
    return &deliveries[static_cast<std::size_t>(row - first_delivery)];
  }
  /// Whatever was sent of a replay before does not matter any more.
  void put(SubscriptionRow row) {
    replay_sent.erase({row.session, row.filter});
    subscriptions.push_back(std::move(row));
  }
  /// All has been written. Keeps the room that it took, within reason.
  void clear();
};

}  // namespace mqtt::store
