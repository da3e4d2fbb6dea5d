#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <mqtt/broker/access.hpp>
#include <mqtt/session/close_info.hpp>

namespace mqtt::broker {

/// Why a message did not reach a client that was to have it.
enum class DropReason : std::uint8_t {
  queue_full,       ///< of the client: messages or bytes
  memory_full,      ///< of all clients together, or for what Routes brought to slow ones
  expired,          ///< Message Expiry Interval passed while it waited
  too_large,        ///< above the client's Maximum Packet Size [MQTT-3.1.2-25]
  not_authorized,   ///< the client may no longer read that topic
  offline,          ///< QoS 0 for a client that is not connected
  session_ended,    ///< it waited for a client whose session ended
  no_member,        ///< its client left the shared subscription, and nobody else has that
  retained_full,    ///< not kept as retained message
  publish_refused,  ///< the publisher may not publish it; nobody was to have it
};
inline constexpr std::size_t drop_reasons = 10;
/// "queue_full" and so on.
[[nodiscard]] std::string_view to_string(DropReason reason);

/// What has happened since the start, and what there is now.
struct Counters {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  ///< CONNECT answered with an error, or not understood
  std::uint64_t packets_received = 0;     ///< of all types
  std::uint64_t packets_sent = 0;
  std::uint64_t messages_received = 0;  ///< PUBLISH
  std::uint64_t messages_routed = 0;    ///< of these: not by the broker, but by Routes that it gave
  std::uint64_t messages_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;  ///< as far as the owners of connections have told, by note_sent()
  std::uint64_t payload_bytes_received = 0;
  std::uint64_t payload_bytes_sent = 0;
  std::uint64_t sockets = 0;           ///< connections of any kind
  std::uint64_t sessions_expired = 0;  ///< by Session Expiry Interval
  std::size_t connected = 0;           ///< clients, now
  std::size_t connected_maximum = 0;   ///< at the same time
  std::array<std::uint64_t, drop_reasons> dropped{};
  std::size_t connections = 0;
  std::size_t sessions = 0;
  std::size_t queued_messages = 0;
  std::size_t queued_bytes = 0;
  std::size_t memory_bytes = 0;       ///< what Limits::memory bounds
  std::uint64_t inputs_cut_off = 0;   ///< connections closed because memory had no room for a packet
  std::size_t retained_messages = 0;  ///< without those of $SYS
  std::size_t retained_bytes = 0;
  std::size_t subscriptions = 0;
  std::size_t shared_subscriptions = 0;  ///< of these

  [[nodiscard]] std::uint64_t dropped_for(DropReason reason) const {
    return dropped[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t dropped_in_all() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : dropped) sum += count;
    return sum;
  }
};

/// A connected client that messages wait for.
struct SlowClient {
  std::string client_id;
  std::string address;
  std::size_t queued_messages = 0;
  std::size_t queued_bytes = 0;
  std::size_t in_flight = 0;        ///< messages that it has not acknowledged
  std::size_t unwritten_bytes = 0;  ///< on their way, and not taken by its transport
  bool stopped = false;             ///< it took nothing for so long that nobody waits for it any more
};

/// Hears what an operator may want to read in a log. Views live for the call.
class BrokerEvents {
 public:
  virtual ~BrokerEvents() = default;
  virtual void on_connected(const Identity&, Version, bool /*session_present*/) {}
  /// A connection whose CONNECT was refused, or that sent none.
  virtual void on_refused(const ConnectionInfo&, const CloseInfo&) {}
  /// `info` is null if the client's end of the connection just went away.
  virtual void on_disconnected(const Identity&, const CloseInfo* /*info*/) {}
  virtual void on_subscribed(const Identity&, std::string_view /*filter*/, ReasonCode) {}
  virtual void on_unsubscribed(const Identity&, std::string_view /*filter*/) {}
  virtual void on_published(const Identity&, const PublishView&) {}
  /// False: on_published() need not tell of all messages. With several threads those of QoS 0 may go past
  /// the one that tells (ServerConfig::threads), which is much faster. Who answers true from now on calls
  /// Broker::end_routes().
  [[nodiscard]] virtual bool wants_messages() const { return true; }
  virtual void on_session_ended(std::string_view /*client_id*/) {}
  /// The first drop of this client and reason, and then not more often than once in ten seconds;
  /// `count` is that of all since the last call.
  virtual void on_dropped(std::string_view /*client_id*/, DropReason, std::uint64_t /*count*/) {}
};

}  // namespace mqtt::broker
