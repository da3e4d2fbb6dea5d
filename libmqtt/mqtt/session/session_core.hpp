#pragma once
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include <mqtt/codec/clause.hpp>
#include <mqtt/codec/decode.hpp>
#include <mqtt/session/alias.hpp>
#include <mqtt/session/close_info.hpp>
#include <mqtt/session/limits.hpp>
#include <mqtt/session/session_fault.hpp>
#include <mqtt/session/session_handler.hpp>
#include <mqtt/session/session_state.hpp>
#include <mqtt/util/chunk.hpp>
#include <mqtt/util/rare.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt {

enum class AckMode : std::uint8_t {
  automatic,  ///< acknowledged when on_message returns
  manual,     ///< acknowledged by ack()
  /// The flows of QoS 1 and 2 are somebody else's, whom the owner relays them to and from: on_message() and
  /// on_flow() tell each of their packets, which only relay() answers, and nothing of them is kept here.
  relayed,
};

/// What we let the peer do, as our CONNECT or CONNACK announced it. The last two only a server says.
struct OwnLimits {
  std::uint16_t receive_maximum = receive_maximum_default;
  std::uint16_t topic_alias_maximum = 0;
  std::uint32_t maximum_packet_size = packet_size_max;
  QoS maximum_qos = QoS::exactly_once;
  bool retain_available = true;
};

/// What ClientSession and ServerSession have in common: packets out within the peer's limits, message
/// flows both ways (4.3), their resumption (4.4), order (4.6) and flow control (4.9), topic aliases, and
/// the end of a connection. A part of those two, not an interface for applications.
class SessionCore {
 public:
  /// What the sessions of a client and of a server differ in.
  struct Settings {
    Sender role = Sender::client;
    AckMode ack_mode = AckMode::automatic;
    AliasPolicy alias_policy = AliasPolicy::none;
    std::optional<std::uint16_t> send_window;
  };
  /// A SUBSCRIBE or UNSUBSCRIBE whose answer is due.
  struct Request {
    PacketType type = PacketType::subscribe;  ///< or unsubscribe
    std::uint32_t filters = 0;
  };

  SessionCore(ChunkPool& pool, Settings settings) : settings_{settings}, output_{pool} {}

  /// A transport is open; nothing is agreed yet but what we can take.
  void open(Version version, const OwnLimits& own);
  /// Server: what CONNECT said.
  void set_version(Version version) { version_ = version; }
  [[nodiscard]] const PeerLimits& peer_limits() const { return peer_; }
  void set_peer_limits(const PeerLimits& limits) { static_cast<PeerLimits&>(peer_) = limits; }
  /// Server: what CONNACK will say.
  void set_own_limits(const OwnLimits& own);
  /// Server: what was kept of the session.
  void adopt(SessionState state);
  /// CONNACK with success was received or queued: messages may flow.
  void establish(const ServerLimits& peer);
  /// Sends what is in flight again: as repetitions if the peer has the session, else as new messages.
  /// Reports those that the new limits forbid and those that a lost session makes final.
  void resume(TimePoint now, FlowHandler& handler, bool session_present);
  void transport_closed();
  /// No message flows any more; what is queued may still leave.
  void leave_session();

  // Sending: each returns a fault without any effect, or has queued its packet.
  /// `expires`: when the Message Expiry Interval among the properties is over. If the message has to be
  /// sent again, it says what is left [MQTT-3.3.2-6]; without `expires` it stays as it is.
  Result<PacketId> publish(const PublishView& header, const SharedBytes& payload, Deadline expires = {});
  Result<void> ack(const AckToken& token, ReasonCode reason, PropertiesView properties);
  /// The message was not taken, and the connection is to end without an answer: sent again, it is a new one.
  void disown(const AckToken& token);
  /// AckMode::relayed: with the packet identifier and DUP that `message` has.
  Result<void> relay(const PublishView& message, const SharedBytes& payload);
  /// AckMode::relayed: PUBACK, PUBREC, PUBREL or PUBCOMP. A reason that only the other side may give becomes
  /// the general one.
  Result<void> relay(PacketType type, PacketId id, ReasonCode reason);
  [[nodiscard]] bool relays() const { return settings_.ack_mode == AckMode::relayed; }
  Result<PacketId> request(PacketType type, SubscriptionsView list, PropertiesView properties);
  /// A packet whose rules the caller has checked. What is only there to help a person (Reason String,
  /// User Properties) is left out if it makes the packet too large for the peer [MQTT-3.14.2-3].
  Result<void> send(PacketView packet);
  /// Whether send() could make it small enough.
  [[nodiscard]] Result<void> check_size(PacketView packet) const;
  /// A fault if `properties` may not stand there in a packet of ours.
  [[nodiscard]] Result<void> check_properties(PropertiesView properties, PropertyPlace place) const;
  [[nodiscard]] Result<void> check_connected() const;

  // Receiving, of packets that came after establish().
  [[nodiscard]] std::expected<std::optional<Frame>, DecodeError> next_frame(Bytes& input) {
    return framer_.next(input);
  }
  /// The last frame has been handled, and the next one may be long in coming.
  void let_go_of_frame() { framer_.let_go(); }
  /// Bytes of a packet that has not come in whole.
  [[nodiscard]] std::size_t input_held() const { return framer_.held(); }
  /// Bytes of the topics that the peer has set aliases for.
  [[nodiscard]] std::size_t alias_bytes() const { return aliases_->incoming.bytes(); }
  void on_publish(PublishView publish, FlowHandler& handler);
  void on_puback(TimePoint now, const AckView& ack, FlowHandler& handler);
  void on_pubrec(TimePoint now, const AckView& ack, FlowHandler& handler);
  void on_pubrel(const AckView& ack, FlowHandler& handler);
  void on_pubcomp(TimePoint now, const AckView& ack, FlowHandler& handler);
  /// Takes a request of ours out if its answer fits; else closes and gives false. `answers` is empty
  /// where the answer has no codes.
  bool on_answer(PacketId id, PacketType request, std::optional<std::size_t> answers, Clause count_clause);
  /// A request of the peer's; closes and gives false if its identifier is in use.
  bool on_request(PacketId id, Request request);
  /// Queues the answer to a request of the peer's, which has to wait for it.
  Result<void> answer_request(const SubackView& suback);
  Result<void> answer_request(const UnsubackView& unsuback);
  /// Without an answer the flow would hang: a peer that cannot take four bytes is cut off.
  void answer(const PacketView& packet);

  /// Ends the connection; the first reason stays.
  void close(CloseInfo info);
  /// Ends it for a fault of the peer, with DISCONNECT where that is allowed (4.13).
  void violation(const DecodeError& error);
  void violation(ReasonCode reason, Clause clause, std::string_view what);

  /// A template so that nothing is made of a packet that nobody looks at.
  template <class Packet>
  void observe(const Packet& packet) {
    if (observer_) observer_->on_packet_received(packet);
  }
  void set_observer(PacketObserver* observer) { observer_ = observer; }
  /// Server: the client asked for no Reason String [MQTT-3.1.2-29].
  void set_diagnostics_allowed(bool allowed) { diagnostics_allowed_ = allowed; }

  [[nodiscard]] bool established() const { return established_; }
  [[nodiscard]] bool connected() const { return established_ && !close_info_; }
  /// Null as long as the connection is to go on.
  [[nodiscard]] const CloseInfo* close_info() const { return close_info_.get(); }
  [[nodiscard]] Version version() const { return version_; }
  [[nodiscard]] DecodeContext decode_context() const;
  [[nodiscard]] OutBuffer& output() { return output_; }
  [[nodiscard]] const OutBuffer& output() const { return output_; }
  [[nodiscard]] SessionState& state() { return flows().state; }
  /// Before the first message or request: where packet identifiers start.
  void start_ids_at(PacketId id) { next_id_ = id; }
  /// After leave_session() or transport_closed(): what the next connection is to adopt().
  [[nodiscard]] SessionState take_state();
  [[nodiscard]] const SessionState& state() const { return flows_->state; }
  [[nodiscard]] std::size_t send_quota() const;
  [[nodiscard]] std::size_t unacknowledged() const { return flows_->acks.size(); }
  [[nodiscard]] std::size_t requests_outstanding() const { return requests_->size(); }
  /// Bytes of all packets queued so far, and of those that the transport has taken.
  [[nodiscard]] std::uint64_t bytes_queued() const { return bytes_queued_; }
  [[nodiscard]] std::uint64_t bytes_written() const { return bytes_queued_ - output_.size(); }

 private:
  /// Of QoS 1 and 2. A connection that sees only QoS 0 has none.
  struct Flows {
    SessionState state;
    AckQueue acks;
  };
  struct Aliases {
    IncomingAliases incoming;
    OutgoingAliases outgoing;
    std::string properties;  // with an alias in front
  };
  /// What the peer lets us send. The last two only a server says.
  struct Allowed : PeerLimits {
    QoS maximum_qos = QoS::exactly_once;
    bool retain_available = true;
  };

  /// There are some from now on.
  [[nodiscard]] Flows& flows() {
    if (!flows_) flows_.make().state.next_id = next_id_;
    return flows_.make();
  }
  [[nodiscard]] PacketId& next_id() { return flows_ ? flows_.make().state.next_id : next_id_; }

  /// Drops from `packet` what is only there to help a person as far as the peer has no room or wish for it:
  /// its size, or a fault. `kept` owns what is left.
  Result<std::size_t> make_fit(PacketView& packet, Properties& kept) const;

  /// A PUBLISH as it goes out, and the alias that the peer learns from it (0: none).
  struct Outgoing {
    PublishView view;
    std::string_view topic;  // in full, even where the view leaves it out
    std::uint16_t alias = 0;
  };

  [[nodiscard]] Result<void> check_message(const PublishView& header) const;
  [[nodiscard]] std::optional<Error> find_limit_fault(const PublishView& header,
                                                      std::size_t payload_size) const;
  [[nodiscard]] Result<Outgoing> apply_alias(const PublishView& header);
  [[nodiscard]] Result<Outgoing> apply_callers_alias(const PublishView& header, std::uint16_t alias) const;
  [[nodiscard]] Result<PacketId> publish_stored(Outgoing& outgoing, const SharedBytes& payload,
                                                Deadline expires);
  [[nodiscard]] Result<PacketId> take_packet_id();
  [[nodiscard]] std::size_t window() const;
  [[nodiscard]] std::string_view peer_name() const;

  void write_publish(const PublishView& view, const SharedBytes& payload);
  void send_again(TimePoint now, const Inflight::Entry& entry);
  void publish_again(TimePoint now, const Inflight::Entry& entry);
  void send_backlog(TimePoint now);
  void finish(TimePoint now, PacketId id, ReasonCode reason, PropertiesView properties, FlowHandler& handler);

  bool resolve_alias(PublishView& publish);
  bool check_own_limits(const PublishView& publish);
  bool count_received();
  void count_answered();
  void hand_over(const PublishView& publish, AckToken token, FlowHandler& handler);
  void on_qos_2(const PublishView& publish, FlowHandler& handler);
  void on_repeated_qos_2(PacketId id, ReceivedIds::Record& record);
  [[nodiscard]] Result<void> check_ack(QoS qos, ReasonCode reason, PropertiesView properties) const;
  void flush_acks();
  void send_ready(const ReadyAck& ready);
  void forget_request(PacketId id);
  [[nodiscard]] Result<void> check_codes(PacketId id, PacketType request, PacketType answer, Bytes codes,
                                         PropertiesView properties) const;

  // Of thousands of these most are idle: what only a busy or a closing connection needs is apart.
  Settings settings_;
  Version version_ = Version::v5;
  bool established_ : 1 = false;
  bool diagnostics_allowed_ : 1 = true;
  PacketId next_id_ = 1;          // until there are flows
  std::uint32_t unanswered_ = 0;  // of the peer's QoS 1 and 2 messages on this connection
  OwnLimits own_;
  Allowed peer_;
  OutBuffer output_;
  Framer framer_;
  Rare<Flows> flows_;
  Rare<Aliases> aliases_;            // of this connection
  Rare<IdTable<Request>> requests_;  // a client's own; at a server the client's
  std::unique_ptr<CloseInfo> close_info_;
  std::uint64_t bytes_queued_ = 0;
  PacketObserver* observer_ = nullptr;
};

}  // namespace mqtt
