#pragma once
#include <cstdint>

#include <mqtt/codec/packet.hpp>

namespace mqtt {

/// Names a received QoS 1 or QoS 2 message until it is acknowledged. QoS 0 messages have an empty one.
struct AckToken {
  PacketId id = 0;             ///< 0: nothing to acknowledge
  std::uint32_t epoch = 0;     ///< the connection it came over
  std::uint32_t sequence = 0;  ///< its place among the messages of that connection

  [[nodiscard]] bool needs_ack() const { return id != 0; }
  bool operator==(const AckToken&) const = default;
};

/// What both sides of a connection are told about messages. Views live for the call only. A handler
/// may call any function of its session but connect(), receive(), on_time() and on_transport_closed().
class FlowHandler {
 public:
  /// A message arrived. The topic is complete even if it came by alias; the Topic Alias property is
  /// still among the properties and means nothing to the receiver of this call.
  virtual void on_message(const PublishView& message, AckToken token) = 0;

  /// AckMode::relayed: PUBACK, PUBREC, PUBREL or PUBCOMP has come.
  virtual void on_flow(PacketType, const AckView&) {}

  /// PUBREC has come: the receiver owns our QoS 2 message now, and must not be sent it again. PUBREL is
  /// queued and has not left.
  virtual void on_taken_over(PacketId) {}

  /// PUBREL has come for a message that was acknowledged. PUBCOMP is queued and has not left.
  virtual void on_released(PacketId) {}

  /// The final result of a QoS 1 or QoS 2 message that we sent: the PUBACK, the PUBCOMP, or the
  /// PUBREC that refused it. From here on the id may be used again.
  virtual void on_published(PacketId id, ReasonCode reason, PropertiesView properties) = 0;

 protected:
  ~FlowHandler() = default;
};

/// What a ClientSession tells its owner.
class SessionHandler : public FlowHandler {
 public:
  /// Accepted or refused; when refused, wants_close() is set already. Messages in flight have been
  /// queued again before this call.
  virtual void on_connack(const ConnackView&) {}
  virtual void on_subscribed(PacketId, const SubackView&) {}
  virtual void on_unsubscribed(PacketId, const UnsubackView&) {}
  virtual void on_pong() {}
  virtual void on_auth(const AuthView&) {}
  /// The server's DISCONNECT (5.0 only); wants_close() is set already.
  virtual void on_disconnect(const DisconnectView&) {}

 protected:
  ~SessionHandler() = default;
};

/// What a ServerSession tells the broker that owns it.
class ServerHandler : public FlowHandler {
 public:
  /// To be answered by accept(), refuse() or, with an authentication method, auth(); now or later.
  virtual void on_connect(const ConnectView&) = 0;
  /// To be answered by suback() / unsuback() with one code per filter; now or later.
  virtual void on_subscribe(const SubscribeView&) = 0;
  virtual void on_unsubscribe(const UnsubscribeView&) = 0;
  virtual void on_auth(const AuthView&) {}
  /// The client's DISCONNECT; wants_close() is set already.
  virtual void on_disconnect(const DisconnectView&) {}

 protected:
  ~ServerHandler() = default;
};

/// Sees every packet as it is queued and as it is received: for `-d`, traces and tests.
class PacketObserver {
 public:
  virtual void on_packet_sent(const PacketView& packet) = 0;
  virtual void on_packet_received(const PacketView& packet) = 0;

 protected:
  ~PacketObserver() = default;
};

}  // namespace mqtt
