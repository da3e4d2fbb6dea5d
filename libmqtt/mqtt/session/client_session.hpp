#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include <mqtt/codec/packet.hpp>
#include <mqtt/session/auth_mechanism.hpp>
#include <mqtt/session/close_info.hpp>
#include <mqtt/session/keepalive.hpp>
#include <mqtt/session/limits.hpp>
#include <mqtt/session/session_core.hpp>
#include <mqtt/session/session_fault.hpp>
#include <mqtt/session/session_handler.hpp>
#include <mqtt/util/chunk.hpp>
#include <mqtt/util/rare.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt {

/// A client's will: what the server publishes if the connection ends without a DISCONNECT.
struct Will {
  std::string topic;
  std::string payload;
  QoS qos = QoS::at_most_once;
  bool retain = false;
  Properties properties;
};

/// CONNECT. The limits that we announce (Receive Maximum, Maximum Packet Size, Topic Alias Maximum,
/// Session Expiry Interval) are read back from `properties` and enforced.
struct ConnectOptions {
  Version version = Version::v5;
  std::string client_id;
  bool clean_start = true;        ///< Clean Session before 5.0
  bool bridge = false;            ///< ConnectView::bridge
  std::uint16_t keep_alive = 60;  ///< seconds; 0 turns it off
  std::optional<Will> will;
  std::optional<std::string> user_name;
  std::optional<std::string> password;
  Properties properties;
  /// For clean_start = false on a fresh ClientSession: an earlier process left a session that this one
  /// takes up, so Session Present is no lie. Set it to false to hold the server to the letter of
  /// [MQTT-3.2.2-4]: no state here, no session there.
  bool resumes_earlier_process = true;
};

/// How a client keeps to its side. Nothing of it is told to the server.
struct ClientConfig {
  AckMode ack_mode = AckMode::automatic;
  AliasPolicy alias_policy = AliasPolicy::none;
  /// Messages in flight at most, below what the server allows. Default: the server's Receive Maximum,
  /// before 5.0 send_window_before_v5.
  std::optional<std::uint16_t> send_window{};
  Duration connack_timeout = std::chrono::seconds{10};  ///< 0: wait for ever
  Duration ping_timeout =
      std::chrono::seconds{10};  ///< silence after PINGREQ that ends the connection; 0: none
  Duration auth_timeout = std::chrono::seconds{10};  ///< of a re-authentication; 0: wait for ever
  /// Where packet identifiers start. A process that takes up an earlier one's session should start at
  /// random: the server may still hold half-finished QoS 2 identifiers of the former one.
  PacketId first_packet_id = 1;
};

/// A client's side of a session, for 3.1, 3.1.1 and 5.0; it outlives connections. It does no I/O: the
/// owner passes in what the transport received and the time, writes what output() holds, wakes it at
/// next_deadline(), and closes the transport, after writing, once wants_close().
///
/// Across connections it keeps the messages in flight. When the server still has the session they are
/// sent again with DUP, PUBLISH and PUBREL in the order they left in, with their identifiers. When the
/// server has lost it, messages that nobody answered are sent as new ones (DUP 0, same order): at
/// least once is what the caller asked for; QoS 2 messages that were answered with PUBREC are reported
/// as published, since the server had taken them over [MQTT-3.2.2-5]. Requests to subscribe and
/// unsubscribe that were not answered end with their connection.
class ClientSession {
 public:
  explicit ClientSession(ChunkPool& pool, ClientConfig config = {});

  /// Authenticates from the next connect() on: sets Authentication Method and Data of CONNECT, and answers
  /// the server's AUTH; a server that the mechanism does not accept is left. Not owned; null: none, and
  /// auth() is the owner's to call.
  void set_mechanism(AuthMechanism* mechanism) {
    if (mechanism || auth_) auth_.make().mechanism = mechanism;
  }

  /// The transport is open: queues CONNECT. Again after on_transport_closed(), with the same client
  /// id, to go on with the session.
  Result<void> connect(TimePoint now, const ConnectOptions& options);
  /// `header` without packet_id, dup and payload, which the session sets. Gives 0 for QoS 0. The
  /// payload is kept by reference if it has an owner.
  Result<PacketId> publish(TimePoint now, const PublishView& header, const SharedBytes& payload);
  Result<PacketId> subscribe(TimePoint now, SubscriptionsView subscriptions, PropertiesView properties = {});
  Result<PacketId> unsubscribe(TimePoint now, SubscriptionsView filters, PropertiesView properties = {});
  /// With AckMode::manual. Acknowledgements leave in the order in which their messages came
  /// [MQTT-4.6.0-2], so one may wait for those before it. Tokens of earlier connections are accepted
  /// and do nothing for QoS 1 (the server delivers again); for QoS 2 they answer the redelivery.
  Result<void> ack(TimePoint now, AckToken token, ReasonCode reason = ReasonCode::success,
                   PropertiesView properties = {});
  /// With AckMode::relayed, instead of publish() and ack(): see SessionCore.
  Result<void> relay(TimePoint now, const PublishView& message, const SharedBytes& payload);
  Result<void> relay(TimePoint now, PacketType type, PacketId id, ReasonCode reason);
  /// Queues PINGREQ whatever the keep-alive: its PINGRESP says that the server took all before it.
  Result<void> ping(TimePoint now);
  /// Continues an authentication, or begins another with re_authenticate. The method is added to
  /// `properties` if it is missing.
  Result<void> auth(TimePoint now, ReasonCode reason, PropertiesView properties);
  /// Begins a new exchange of the mechanism over the living connection. on_auth() with success, or the
  /// server's DISCONNECT, ends it.
  Result<void> re_authenticate(TimePoint now);
  /// Queues DISCONNECT and wants the transport closed. Before 5.0 the packet has neither argument.
  Result<void> disconnect(TimePoint now, ReasonCode reason = ReasonCode::normal_disconnection,
                          PropertiesView properties = {});

  void receive(TimePoint now, Bytes bytes, SessionHandler& handler);
  void on_time(TimePoint now, SessionHandler& handler);
  /// The transport has taken something from output(): PINGRESP is late only from when PINGREQ has left.
  void on_written(TimePoint now) { keep_alive_.written(now, core_.bytes_written()); }
  /// Whatever the reason. Output that was not written is dropped; close_info() stays until connect().
  void on_transport_closed(TimePoint now);
  /// While the owner does not read from the transport, PINGRESP and AUTH cannot be late: PINGREQs go on
  /// leaving, and the wait for answers begins when reading does.
  void pause_reading(TimePoint now);
  void resume_reading(TimePoint now);
  /// Before the first connect(): what an earlier process with this client id had in flight, in the order
  /// in which their last packets left. `message` has its packet identifier. One that the server has taken
  /// over (PUBREC came) only has an id.
  void restore(std::string_view client_id, const PublishView& message, const SharedBytes& payload,
               Deadline expires = {});
  void restore_taken_over(std::string_view client_id, PacketId id);
  /// Forgets messages in flight and identifiers, as a new object would. Not while connected.
  void forget_session();

  [[nodiscard]] OutBuffer& output() { return core_.output(); }
  [[nodiscard]] Deadline next_deadline() const;
  [[nodiscard]] bool wants_close() const { return core_.close_info() != nullptr; }
  [[nodiscard]] const CloseInfo* close_info() const { return core_.close_info(); }
  /// CONNACK has come and nothing wants the connection closed.
  [[nodiscard]] bool connected() const { return core_.connected(); }
  /// CONNACK has come on this connection, whatever came after it.
  [[nodiscard]] bool accepted() const { return core_.established(); }

  [[nodiscard]] Version version() const { return core_.version(); }
  /// Ours, as in CONNECT, or the one that the server has assigned.
  [[nodiscard]] const std::string& client_id() const { return client_id_; }
  /// As of the last successful CONNACK.
  [[nodiscard]] const ServerLimits& limits() const { return limits_; }
  /// QoS 1 and 2 messages that may be sent now.
  [[nodiscard]] std::size_t send_quota() const { return core_.send_quota(); }
  /// QoS 1 and 2 messages that we sent and that have no final answer yet.
  [[nodiscard]] std::size_t in_flight() const { return core_.state().outgoing.size(); }
  /// Received messages that wait for ack(), or for those before them.
  [[nodiscard]] std::size_t unacknowledged() const { return core_.unacknowledged(); }
  /// An authentication is under way: the server waits for our AUTH, or we for its next.
  [[nodiscard]] bool authenticating() const { return authenticating_; }
  [[nodiscard]] std::size_t pings_outstanding() const { return keep_alive_.pings_outstanding(); }
  /// SUBSCRIBE and UNSUBSCRIBE that were not answered.
  [[nodiscard]] std::size_t requests_outstanding() const { return core_.requests_outstanding(); }

  /// Not owned; null for none.
  void set_observer(PacketObserver* observer) { core_.set_observer(observer); }

 private:
  /// Of who authenticates by a method.
  struct Authentication {
    AuthMechanism* mechanism = nullptr;
    std::string method;  // as in CONNECT
    Duration timeout = ClientConfig{}.auth_timeout;
    Deadline deadline;  // of a re-authentication
  };

  [[nodiscard]] Result<void> begin_connection(TimePoint now, const ConnectOptions& options);
  [[nodiscard]] Result<void> check_subscriptions(SubscriptionsView list, PropertiesView properties) const;
  [[nodiscard]] Result<void> check_disconnect(ReasonCode reason, PropertiesView properties) const;
  [[nodiscard]] Result<void> check_auth(ReasonCode reason, PropertiesView properties) const;

  void handle(TimePoint now, const Frame& frame, SessionHandler& handler);
  void handle_before_connack(TimePoint now, const PacketView& packet, SessionHandler& handler);
  /// False: it is no packet of a flow that is relayed.
  [[nodiscard]] bool hand_on(const PacketView& packet, SessionHandler& handler);
  void handle_connected(TimePoint now, const PacketView& packet, SessionHandler& handler);
  void on_connack(TimePoint now, const ConnackView& connack, SessionHandler& handler);
  void on_refusal(const ConnackView& connack, SessionHandler& handler);
  [[nodiscard]] std::optional<DecodeError> find_lie(const ConnackView& connack) const;
  void on_suback(const SubackView& suback, SessionHandler& handler);
  void on_unsuback(const UnsubackView& unsuback, SessionHandler& handler);
  void on_auth(TimePoint now, const AuthView& auth, SessionHandler& handler);
  /// The mechanism's next step.
  void go_on(TimePoint now, const AuthView& auth);
  void await_authentication(TimePoint now);
  void end_authentication(PropertiesView properties);
  void fail_authentication(Error why);
  void on_disconnect(const DisconnectView& disconnect, SessionHandler& handler);
  /// Whatever was queued since the last call counts as sent now.
  void note_sent(TimePoint now);

  SessionCore core_;
  ClientKeepAlive keep_alive_;
  ServerLimits limits_;
  std::string client_id_;
  Rare<Authentication> auth_;
  Duration connack_timeout_;
  Rare<TimePoint> connack_due_;
  std::uint64_t bytes_noted_ = 0;
  std::uint32_t requested_expiry_ = 0;
  std::uint16_t requested_keep_alive_ = 0;
  bool heard_ = false;  // the server has sent something on this connection
  bool open_ = false;   // from connect() to on_transport_closed()
  bool clean_start_ = true;
  bool may_resume_ = false;    // Session Present would be no lie
  bool session_kept_ = false;  // the last connection left a session at the server
  bool reading_paused_ = false;
  bool authenticating_ = false;  // the server waits for no AUTH but ours, or we for its next
};

}  // namespace mqtt
