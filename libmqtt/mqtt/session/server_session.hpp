#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include <mqtt/codec/packet.hpp>
#include <mqtt/session/close_info.hpp>
#include <mqtt/session/limits.hpp>
#include <mqtt/session/session_core.hpp>
#include <mqtt/session/session_fault.hpp>
#include <mqtt/session/session_handler.hpp>
#include <mqtt/util/chunk.hpp>
#include <mqtt/util/rare.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt {

/// How a server keeps to its side, and how long it waits for a client.
struct ServerConfig {
  Duration connect_timeout = std::chrono::seconds{10};  ///< for CONNECT, and for each AUTH before CONNACK
  /// Before CONNECT nobody has been authenticated: no more than this is buffered for it.
  std::uint32_t connect_packet_size_max = 64 * 1024;
  /// What a client may send after CONNECT before it is answered, or while its input is paused. Two reads
  /// of the transport: one that was under way when it was paused, and one for what its filters hold.
  std::size_t held_input_max = 128 * 1024;
  AliasPolicy alias_policy = AliasPolicy::none;
  std::uint16_t outgoing_aliases_max = 65'535;  ///< below the client's Topic Alias Maximum: memory of ours
  /// False: more unanswered messages than announced are taken all the same.
  bool enforce_receive_maximum = true;
  /// Messages in flight at most, below the client's Receive Maximum (before 5.0: send_window_before_v5).
  std::optional<std::uint16_t> send_window{};
};

/// What a broker says to a CONNECT that it accepts.
struct Acceptance {
  bool session_present = false;  ///< `state` is that of the client's session
  /// Of CONNACK; the limits that it announces are enforced. Before 5.0, which cannot announce them, only
  /// Maximum Packet Size is. The Authentication Method is added if it is missing.
  Properties properties;
  SessionState state;  ///< ignored without session_present
};

/// The broker's side of one connection, for 3.1, 3.1.1 and 5.0; ClientSession's rules mirrored. It does
/// no I/O. Routing, subscriptions and queues are the broker's.
class ServerSession {
 public:
  /// A transport was accepted. `config` is shared by all sessions and outlives them.
  ServerSession(ChunkPool& pool, TimePoint opened, const ServerConfig& config);
  ServerSession(ChunkPool& pool, TimePoint opened, const ServerConfig&& config) = delete;

  /// Answers on_connect(), then or later: queues CONNACK and what was in flight. A Will that
  /// `acceptance` has no room for is refused instead [MQTT-3.2.2-12] [MQTT-3.2.2-13], and the fault says
  /// so. After a fault the state is still the caller's.
  Result<void> accept(TimePoint now, Acceptance&& acceptance, ServerHandler& handler);
  /// Whether accept() would succeed: its fault, and nothing is sent. The Authentication Method is added.
  [[nodiscard]] Result<void> check(Acceptance& acceptance) const;
  /// on_connect() is answered later, but within connect_timeout, or the connection ends.
  void await_decision(TimePoint now);
  /// Queues CONNACK with an error and wants the transport closed. Before 5.0 the code of the same
  /// meaning is sent, and none where there is none [MQTT-3.2.2-6].
  Result<void> refuse(TimePoint now, ReasonCode reason, PropertiesView properties = {});
  /// continue_authentication, or success for a re-authentication. The method is added if it is missing.
  Result<void> auth(TimePoint now, ReasonCode reason, PropertiesView properties);

  /// Sends a message: `header` without packet_id, dup and payload. Gives 0 for QoS 0. A fault of
  /// packet_too_large is to be dropped as if it had been delivered [MQTT-3.1.2-25].
  /// `expires`: when the Message Expiry Interval in `header` is over. A repetition says what is left of it.
  Result<PacketId> deliver(TimePoint now, const PublishView& header, const SharedBytes& payload,
                           Deadline expires = {});
  /// Answers on_message(); acknowledgements leave in the order of arrival, so one may wait for others.
  /// Tokens of an earlier connection with the same SessionState are good for QoS 2 once accept() has
  /// taken that state up, and do nothing for QoS 1.
  Result<void> ack(TimePoint now, AckToken token, ReasonCode reason = ReasonCode::success,
                   PropertiesView properties = {});
  /// Instead of ack(), before the connection is closed: the message was not taken, and is new if it comes
  /// again.
  void disown(AckToken token) { core_.disown(token); }
  /// One code per filter. Before 5.0 every error is sent as 0x80.
  Result<void> suback(TimePoint now, PacketId id, Bytes reasons, PropertiesView properties = {});
  Result<void> unsuback(TimePoint now, PacketId id, Bytes reasons, PropertiesView properties = {});
  /// Queues DISCONNECT (5.0, after CONNACK) and wants the transport closed.
  Result<void> disconnect(TimePoint now, ReasonCode reason, PropertiesView properties = {});

  void receive(TimePoint now, Bytes bytes, ServerHandler& handler);
  /// Packets wait, also those that receive() has been given, and so does the keep-alive: whoever does not
  /// read cannot know that the client is silent. The transport is to be paused (wants_input()).
  void pause_input() { input_paused_ = true; }
  void resume_input(TimePoint now, ServerHandler& handler);
  /// The transport was not read from up to now, so the client may have been less silent than it seems.
  void restart_keep_alive(TimePoint now) { note_heard(std::max(since_, now)); }
  void on_time(TimePoint now, ServerHandler& handler);
  void on_transport_closed(TimePoint now);
  /// What the next connection of the same client continues; nothing if CONNECT was never accepted: what
  /// is kept of the client then still holds. After on_transport_closed(), or from wants_close() on, while
  /// the last packets are still to be written.
  [[nodiscard]] std::optional<SessionState> take_state();

  [[nodiscard]] OutBuffer& output() { return core_.output(); }
  [[nodiscard]] Deadline next_deadline() const;
  [[nodiscard]] bool wants_close() const { return core_.close_info() != nullptr; }
  /// Null until then.
  [[nodiscard]] const CloseInfo* close_info() const { return core_.close_info(); }
  [[nodiscard]] bool connected() const { return core_.connected(); }
  /// False while CONNECT waits for its answer and after pause_input(): what is received then is held, up to
  /// held_input_max.
  [[nodiscard]] bool wants_input() const {
    return !input_paused_ && (phase_ != Phase::connecting || !auth_method_->empty());
  }
  /// Whether the Will is to be published now that the connection is over: it was accepted and did not
  /// end with DISCONNECT 0x00 [MQTT-3.1.2-8] [MQTT-3.14.4-3].
  [[nodiscard]] bool will_is_due() const { return has_will_ && accepted_ && !will_cancelled_; }

  [[nodiscard]] Version version() const { return core_.version(); }
  /// What CONNECT said; of topic aliases, what we make use of.
  [[nodiscard]] const PeerLimits& limits() const { return core_.peer_limits(); }
  [[nodiscard]] std::size_t send_quota() const { return core_.send_quota(); }
  [[nodiscard]] std::size_t in_flight() const { return core_.state().outgoing.size(); }
  /// Bytes of these messages, as far as they have to be kept.
  [[nodiscard]] std::size_t in_flight_bytes() const { return core_.state().outgoing.bytes(); }
  /// What keeping these and the ids of those that were received takes, without the payloads that have other
  /// owners.
  [[nodiscard]] std::size_t in_flight_memory() const { return core_.state().memory_bytes(); }
  /// Bytes that were received and not handled: of a packet that is not whole, or while no input was wanted.
  [[nodiscard]] std::size_t held_input() const { return core_.input_held() + held_->bytes.size(); }
  /// Bytes of the topics that the client has set aliases for.
  [[nodiscard]] std::size_t alias_bytes() const { return core_.alias_bytes(); }
  [[nodiscard]] std::size_t unacknowledged() const { return core_.unacknowledged(); }

  /// Not owned; null for none.
  void set_observer(PacketObserver* observer) { core_.set_observer(observer); }

 private:
  enum class Phase : std::uint8_t { awaiting_connect, connecting, connected, closed };

  [[nodiscard]] Result<void> check_acceptance(Acceptance& acceptance) const;
  [[nodiscard]] std::optional<ReasonCode> find_will_fault(const ServerLimits& announced) const;
  [[nodiscard]] ConnackView connack_of(const Acceptance& acceptance) const;
  void adopt(Acceptance& acceptance, const ServerLimits& announced, TimePoint now);
  void reject(const DecodeError& error);
  void close_with(CloseReason reason, ReasonCode code);

  void note_heard(TimePoint now) {
    if (!awaited_) since_ = now;
  }
  void handle_input(TimePoint now, Bytes& bytes, ServerHandler& handler);
  void handle_held(TimePoint now, ServerHandler& handler);
  void hold(Bytes bytes);
  void handle(TimePoint now, const Frame& frame, ServerHandler& handler);
  void close_unheard();
  void handle_first(TimePoint now, const Frame& frame, ServerHandler& handler);
  void handle_connecting(const PacketView& packet, ServerHandler& handler);
  void handle_connected(TimePoint now, const PacketView& packet, ServerHandler& handler);
  void on_connect(const ConnectView& connect, ServerHandler& handler);
  void on_subscribe(const SubscribeView& subscribe, ServerHandler& handler);
  void on_unsubscribe(const UnsubscribeView& unsubscribe, ServerHandler& handler);
  void on_auth(const AuthView& auth, ServerHandler& handler);
  void on_disconnect(const DisconnectView& disconnect, ServerHandler& handler);

  /// Input that came while none was wanted.
  struct Held {
    std::string bytes;
    std::size_t from = 0;  // what is before it was handled
  };

  const ServerConfig& config_;
  SessionCore core_;
  Rare<std::string> auth_method_;  // empty: none
  Rare<Held> held_;
  TimePoint since_;  // when CONNECT or AUTH began to be awaited_; then when the client was last heard
  Phase phase_ = Phase::awaiting_connect;
  QoS will_qos_ = QoS::at_most_once;
  bool has_will_ : 1 = false;
  bool will_retain_ : 1 = false;
  bool clean_start_ : 1 = true;
  bool named_itself_ : 1 = true;  // CONNECT had a client id
  bool accepted_ : 1 = false;
  bool will_cancelled_ : 1 = false;
  bool receiving_ : 1 = false;
  bool input_paused_ : 1 = false;
  bool heard_ : 1 = false;           // the client's first byte was looked at
  bool challenged_ : 1 = false;      // the client's next AUTH continues
  bool authenticating_ : 1 = false;  // anew, after CONNACK
  bool awaited_ : 1 = true;          // CONNECT, AUTH before CONNACK, or a decision
  // Announced as available.
  bool wildcards_ : 1 = true;
  bool subscription_identifiers_ : 1 = true;
  bool shared_ : 1 = true;
  std::uint16_t keep_alive_ = 0;               // seconds, in force
  std::uint32_t session_expiry_interval_ = 0;  // of CONNECT
};

}  // namespace mqtt
