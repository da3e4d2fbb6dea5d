#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <mqtt/codec/packet.hpp>
#include <mqtt/util/time.hpp>

// What is known of one connection by watching it: all that rules about its history ask for.

namespace mqtt {

/// Tells payloads apart, as far as their first and last bytes and their size do.
[[nodiscard]] std::uint64_t payload_digest(Bytes payload);

/// A packet of the connection: its number, counted from 1 over both directions, and when it went by.
struct Step {
  std::uint64_t number = 0;
  TimePoint time{};
};

/// A QoS 1 or 2 message under way. The stage is that of the last packet of its exchange.
struct OpenMessage {
  enum class Stage : std::uint8_t { published, received, released };  ///< PUBLISH, PUBREC, PUBREL

  QoS qos = QoS::at_least_once;
  Stage stage = Stage::published;
  Step first;  ///< PUBLISH; number 0 if it was on an earlier connection
  Step last;
  std::uint64_t digest = 0;  ///< of its payload
};

/// A SUBSCRIBE or UNSUBSCRIBE without its answer.
struct OpenRequest {
  PacketType type = PacketType::subscribe;
  Step step;
  std::string list;  ///< its filters as they were encoded
  std::uint32_t subscription_id = 0;

  [[nodiscard]] SubscriptionsView filters() const { return {as_bytes(list), type == PacketType::subscribe}; }
};

/// A subscription that the server has granted on this connection.
struct KnownSubscription {
  SubscriptionOptions options;  ///< with the QoS that was granted
  std::uint32_t id = 0;         ///< Subscription Identifier, or 0
  bool changed = false;         ///< it has replaced one for the same filter
  TimePoint asked{};            ///< SUBSCRIBE
  TimePoint granted{};          ///< SUBACK
};

/// Packet identifiers whose answers are due in this order.
class AnswerOrder {
 public:
  void expect(PacketId id) { ids_.push_back(id); }
  void answered(PacketId id);
  /// The first id that an answer to `id` now would overtake and that no answer has overtaken yet; 0: none.
  [[nodiscard]] PacketId overtaken_by(PacketId id) const;
  [[nodiscard]] std::size_t size() const { return ids_.size(); }

 private:
  std::deque<PacketId> ids_;  // as many as messages under way, or fewer
  PacketId overtaken_ = 0;    // once it was, it is known
};

/// The topics of a direction's aliases, up to a bound of bytes.
class KnownAliases {
 public:
  void set(std::uint16_t alias, std::string_view topic);
  /// Empty if it is not known.
  [[nodiscard]] std::string_view find(std::uint16_t alias) const;
  /// Whether one had to be left out.
  [[nodiscard]] bool incomplete() const { return incomplete_; }

 private:
  std::unordered_map<std::uint16_t, std::string> topics_;
  std::size_t bytes_ = 0;
  bool incomplete_ = false;
};

/// What one side sent, and what it announced for the other.
struct SideState {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::optional<Step> last;
  /// Bytes of it were missed, or a packet could not be read: what it has sent is not known any more.
  bool partial = false;

  std::uint16_t receive_maximum = receive_maximum_default;
  std::uint16_t topic_alias_maximum = 0;
  std::uint32_t maximum_packet_size = packet_size_max;

  std::unordered_map<PacketId, OpenMessage> messages;  ///< that it published
  std::array<AnswerOrder, 2> answers;                  ///< that QoS 1 and QoS 2 messages of it wait for
  AnswerOrder pubrels;                                 ///< due by it
  KnownAliases aliases;
  /// It used one above what the other side takes, or one that was not set.
  bool alias_refusable = false;

  /// Its first packet that decode() refuses, or its second CONNECT.
  struct Fault {
    Step step;
    PacketType type = PacketType::connect;
    std::string_view clause;  ///< as in DecodeError
  };
  std::optional<Fault> fault;
  /// The payloads of messages whose acknowledgement said an error, by packet identifier; the first of them.
  std::unordered_map<PacketId, std::uint64_t> refused;

  /// The DISCONNECT of this side.
  struct Disconnect {
    Step step;
    ReasonCode reason = ReasonCode::success;
    std::string reason_string;
    std::optional<std::uint32_t> session_expiry{};
  };
  std::optional<Disconnect> disconnect;
};

/// What a CONNECT has said.
struct ConnectFacts {
  Step step;
  std::string client_id;
  bool clean_start = true;
  std::uint16_t keep_alive = 0;      ///< seconds
  std::uint32_t session_expiry = 0;  ///< seconds
  std::optional<std::string> auth_method;
  bool wants_problem_information = true;
  bool wants_response_information = false;
  std::optional<QoS> will_qos;
  bool will_retain = false;
};

/// What a CONNACK has said, with the defaults of the specification for what it has not.
struct ConnackFacts {
  Step step;
  ReasonCode reason = ReasonCode::success;
  ConnectReturnCode return_code = ConnectReturnCode::accepted;
  std::string reason_string;
  bool session_present = false;
  QoS maximum_qos = QoS::exactly_once;
  bool retain_available = true;
  bool wildcards_available = true;
  bool subscription_ids_available = true;
  bool shared_available = true;
  std::optional<std::uint16_t> server_keep_alive;
  std::optional<std::string> assigned_id;
  std::optional<std::uint32_t> session_expiry;  ///< seconds, where it is not that of CONNECT
};

/// What is left of a client's session when its connection ends, by watching that connection.
struct PastSession {
  bool exists = false;  ///< else it ended with the connection
  TimePoint ended{};
  std::optional<Duration> expiry{};  ///< nothing: it has none
  bool messages_known = false;
  /// Not acknowledged yet, and, on the connection that takes the session up, not sent again; by Sender.
  std::array<std::unordered_map<PacketId, OpenMessage>, 2> messages{};
  /// The order of those whose PUBLISH is to be sent again.
  std::array<AnswerOrder, 2> publishes{};
  std::array<std::unordered_map<PacketId, std::uint64_t>, 2> refused{};
  bool subscriptions_known = false;
  std::map<std::string, KnownSubscription, std::less<>> subscriptions{};
};

/// What the WebSocket connection that carries it says of MQTT, as far as that was seen.
struct WebSocketFacts {
  bool offers_mqtt = true;          ///< the client's request has the subprotocol "mqtt"
  bool selects_mqtt = true;         ///< the server's response has it
  std::array<bool, 2> sent_text{};  ///< a text frame, by Sender
};

/// What is known of a connection from what has gone by. Bounded, as the types in it say.
struct FlowState {
  Version version = Version::v5;
  /// Seen from CONNECT on, so that what it says is known.
  bool from_connect = false;
  std::uint64_t packets = 0;
  std::optional<TimePoint> began;
  std::array<SideState, 2> sides;
  std::optional<ConnectFacts> connect;
  std::optional<ConnackFacts> connack;
  std::unordered_map<PacketId, OpenRequest> requests;
  std::deque<Step> pings;  ///< PINGREQs without their PINGRESP
  std::map<std::string, KnownSubscription, std::less<>> subscriptions;
  WebSocketFacts websocket;
  /// The session as the client's connection before this one left it, if that was seen.
  std::optional<PastSession> past;
  std::optional<TimePoint> challenged;  ///< another connection has come with this client id
  std::optional<TimePoint> superseded;  ///< and the server has accepted it
  bool assigned_id_taken = false;       ///< the server has given it an id that another connection has
  bool subscriptions_known = true;      ///< no session of an earlier connection, no bound reached

  [[nodiscard]] SideState& side(Sender sender) { return sides[static_cast<std::size_t>(sender)]; }
  [[nodiscard]] const SideState& side(Sender sender) const { return sides[static_cast<std::size_t>(sender)]; }
  /// Nothing of the connection was missed.
  [[nodiscard]] bool all_seen() const { return from_connect && !sides[0].partial && !sides[1].partial; }
  [[nodiscard]] bool accepted() const { return connack && connack->reason == ReasonCode::success; }
  [[nodiscard]] bool refused() const { return connack && connack->reason != ReasonCode::success; }
  /// The session may be older than the connection, and so may be packets under way.
  [[nodiscard]] bool resumed() const { return connack && connack->session_present; }
  /// The connection has taken up a session that is known.
  [[nodiscard]] bool resumed_known() const { return accepted() && resumed() && past && past->exists; }
  /// Server Keep Alive, or that of CONNECT; 0: none.
  [[nodiscard]] Duration keep_alive() const;
  /// The packet that `packet`, sent by `sender`, answers.
  [[nodiscard]] std::optional<Step> answered(Sender sender, const PacketView& packet) const;

  /// The packet has gone by.
  void apply(Sender sender, Step step, const PacketView& packet);
};

}  // namespace mqtt
