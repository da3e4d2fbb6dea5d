#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <mqtt/codec/types.hpp>
#include <mqtt/session/limits.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt::broker {

/// What happens to a client that reads more slowly than messages for it arrive, once its queue is full.
enum class SlowConsumer : std::uint8_t {
  /// QoS 0 is dropped. For QoS 1 and 2 publishers wait as long as the client keeps reading; for one that
  /// took nothing for slow_consumer_grace, messages are dropped.
  drop,
  /// Publishers wait for as long as it takes, at every QoS.
  stall,
  /// As drop, but the client that took nothing for slow_consumer_grace is disconnected (0x97).
  disconnect,
};

enum class ReceiveMaximumPolicy : std::uint8_t {
  strict,    ///< more unacknowledged messages than announced end the connection (0x93)
  tolerant,  ///< they are taken all the same: devices in the field misbehave
};

/// Bounds on everything that clients can make grow. Sizes are bytes.
struct Limits {
  std::uint32_t packet_size = 16 * 1024 * 1024;   ///< announced as Maximum Packet Size
  std::uint32_t connect_packet_size = 64 * 1024;  ///< before anybody is authenticated
  Duration connect_timeout = std::chrono::seconds{10};
  std::size_t logins = 10'000;                ///< that wait for their passwords to be checked
  std::uint16_t receive_maximum = 1024;       ///< announced
  std::uint16_t topic_alias_maximum = 16;     ///< announced; each costs a topic's length at most
  std::uint16_t keep_alive_maximum = 65'535;  ///< seconds; more, or 0, becomes this at 5.0 unless 65,535
  QoS maximum_qos = QoS::exactly_once;        ///< announced
  std::uint32_t session_expiry_maximum = 7 * 86'400;  ///< seconds; before 5.0 also that of Clean Session 0
  std::size_t sessions = 1'000'000;                   ///< connected and kept
  std::size_t queued_messages = 10'000;               ///< per client
  std::size_t queued_bytes = 16 * 1024 * 1024;        ///< per client
  /// Of all clients together: messages that wait, are in flight or on their way out, or are Wills (each
  /// once, however many are to get it), their places in queues, bytes that sockets have not taken,
  /// packets that have not come in whole, and logins that wait. Not subscriptions and retained messages,
  /// which have their own bounds.
  std::size_t memory = 512 * 1024 * 1024;
  std::uint16_t in_flight = 256;  ///< per client, below what it takes itself
  std::size_t retained_messages = 2'000'000;
  std::size_t retained_bytes = 512 * 1024 * 1024;  ///< messages and the nodes of their topics
  /// Filters of more than eight levels, or with levels behind a '+', count for more (weight_of()).
  std::size_t subscriptions_per_client = 20'000;
  std::size_t subscriptions = 5'000'000;
  std::size_t topic_levels = 200;
  std::size_t topic_length = field_size_max;
  std::size_t write_backlog = 1024 * 1024;  ///< per client: beyond it messages wait in its queue
};

/// What a broker offers, and where it draws the line.
struct BrokerConfig {
  Limits limits;
  bool retain_available = true;
  bool wildcard_available = true;
  bool shared_available = true;
  SlowConsumer slow_consumer = SlowConsumer::drop;
  Duration slow_consumer_grace = std::chrono::seconds{5};
  /// How long publishers wait, after a broker has taken up what its predecessor left, for the readers that
  /// were connected to that one: they would be waited for if they were there, and are on their way back.
  /// Clients that meet a closed door several times wait long until they try again.
  Duration return_grace = std::chrono::minutes{1};
  ReceiveMaximumPolicy receive_maximum_policy = ReceiveMaximumPolicy::strict;
  /// The longest wait of an address that failed to log in again and again (failed_logins.hpp); 0: none.
  Duration login_delay_max = std::chrono::seconds{30};
  /// Whether a 3.1.1 or 3.1 client whose PUBLISH is refused is disconnected; otherwise the message is
  /// dropped and acknowledged [MQTT-3.3.5-2].
  bool disconnect_refused_publisher = false;
  Duration status_interval{0};      ///< how often $SYS is brought up to date; 0: there is none
  std::string version = "libmqtt";  ///< what it says there
  /// Bytes of the process's heap that are in use, to be said there; may be empty.
  std::function<std::size_t()> heap_bytes{};
};

}  // namespace mqtt::broker
