#include <mqtt/codec/decode.hpp>

#include <mqtt/codec/decode_parts.hpp>
#include <mqtt/codec/topic.hpp>

namespace mqtt {
namespace {

using namespace detail;

/// The names of 3.3.1: which bits of the first octet say what.
constexpr unsigned retain_bit = 1, qos_shift = 1, dup_bit = 8;

/// [MQTT-3.3.2-2].
void check_topic_name(Reader& in, std::string_view topic, std::uint32_t at) {
  const std::size_t wildcard = find_wildcard(topic);
  if (wildcard == topic.npos) [[likely]]
    return;
  in.fail(clauses::publish_topic_wildcard, "topic name contains a wildcard", ReasonCode::topic_name_invalid,
          at + 2 + static_cast<std::uint32_t>(wildcard));
}

/// An answer that has only its packet id means Success; before 5.0 that is its only form.
template <class Ack>
Decoded<Ack> decode_ack(const Frame& frame, DecodeContext context, PacketType type, Clause reason_clause) {
  Reader in = reader_of(frame, context.version);
  Ack ack;
  ack.packet_id = in.packet_id(clauses::answer_packet_id);
  if (context.version != Version::v5) return in.done(ack);
  if (in.left() > 0) ack.reason = reason_code(in, type, context.sender, reason_clause);
  if (in.left() > 0) ack.properties = in.properties(place_of(type), context.sender);
  return in.done(ack);
}

Decoded<DisconnectView> decode_disconnect(const Frame& frame, DecodeContext context) {
  Reader in = reader_of(frame, context.version);
  DisconnectView disconnect;
  if (context.version != Version::v5) {
    in.require(context.sender == Sender::client, clauses::server_disconnect_before_5,
               "server sent a DISCONNECT, which only MQTT 5.0 allows", ReasonCode::protocol_error, 0);
    return in.done(disconnect);
  }
  if (in.left() > 0)
    disconnect.reason = reason_code(in, PacketType::disconnect, context.sender, clauses::disconnect_reason);
  if (in.left() > 0) disconnect.properties = in.properties(PropertyPlace::disconnect, context.sender);
  return in.done(disconnect);
}

Decoded<AuthView> decode_auth(const Frame& frame, DecodeContext context) {
  Reader in = reader_of(frame, context.version);
  AuthView auth;
  if (in.left() > 0) {
    auth.reason = reason_code(in, PacketType::auth, context.sender, clauses::auth_reason);
    const std::uint32_t at = in.offset();
    auth.properties = in.properties(PropertyPlace::auth, context.sender);
    in.require(!in.ok() || auth.properties.text(PropertyId::authentication_method).has_value(),
               clauses::auth_method, "AUTH without an Authentication Method", ReasonCode::protocol_error, at);
  }
  return in.done(auth);
}

template <class Empty>
Decoded<Empty> decode_empty(const Frame& frame, Version version) {
  Reader in = reader_of(frame, version);
  return in.done(Empty{});
}

/// The fixed low nibble of each type (Table 2-2). MQTT 3.1 allows DUP on requests and PUBREL.
bool flags_valid(std::uint8_t first_octet, Version version) {
  const auto type = static_cast<PacketType>(first_octet >> 4);
  const unsigned flags = first_octet & 0x0F;
  if (type == PacketType::publish) return true;
  const bool acknowledged =
      type == PacketType::pubrel || type == PacketType::subscribe || type == PacketType::unsubscribe;
  if (acknowledged && version == Version::v3_1) return (flags & ~dup_bit) == 2;
  return flags == (acknowledged ? 2u : 0u);
}

bool direction_valid(PacketType type, Sender sender) {
  switch (type) {
    case PacketType::connect:
    case PacketType::subscribe:
    case PacketType::unsubscribe:
    case PacketType::pingreq: return sender == Sender::client;
    case PacketType::connack:
    case PacketType::suback:
    case PacketType::unsuback:
    case PacketType::pingresp: return sender == Sender::server;
    default: return true;
  }
}

std::optional<DecodeError> find_header_error(const Frame& frame, DecodeContext context) {
  const auto type = static_cast<PacketType>(frame.type());
  const bool auth_before_5 = type == PacketType::auth && context.version != Version::v5;
  if (frame.type() == 0 || auth_before_5)
    return DecodeError{ReasonCode::malformed_packet, clauses::type_reserved.id(context.version),
                       "packet type is reserved", 0};
  if (!direction_valid(type, context.sender))
    return DecodeError{ReasonCode::protocol_error, clauses::type_direction.id(context.version),
                       context.sender == Sender::server ? "server sent a packet that only clients send"
                                                        : "client sent a packet that only servers send",
                       0};
  if (!flags_valid(frame.first_octet(), context.version))
    return DecodeError{ReasonCode::malformed_packet, clauses::flags_reserved.id(context.version),
                       "reserved flags of the fixed header are wrong", 0};
  return std::nullopt;
}

template <class T>
std::expected<PacketView, DecodeError> widen(Decoded<T>&& decoded) {
  if (!decoded) return std::unexpected(decoded.error());
  return PacketView{*decoded};
}

}  // namespace

std::expected<PublishView, DecodeError> decode_publish(const Frame& frame, DecodeContext context) {
  Reader in = reader_of(frame, context.version);
  const std::uint8_t flags = frame.first_octet();
  const unsigned qos = flags >> qos_shift & 3u;
  PublishView p;
  p.dup = (flags & dup_bit) != 0;
  p.retain = (flags & retain_bit) != 0;
  p.qos = static_cast<QoS>(qos);
  in.require(qos != 3, clauses::publish_qos_3, "PUBLISH with both QoS bits set", ReasonCode::malformed_packet,
             0);
  in.require(!(p.dup && qos == 0), clauses::dup_on_qos_0, "DUP set on a QoS 0 PUBLISH",
             ReasonCode::protocol_error, 0);
  const std::uint32_t topic_at = in.offset();
  p.topic = in.utf8_string();
  check_topic_name(in, p.topic, topic_at);
  if (qos > 0)
    p.packet_id = in.packet_id(context.sender == Sender::client ? clauses::request_packet_id
                                                                : clauses::server_packet_id);
  p.properties = in.properties(PropertyPlace::publish, context.sender);
  if (p.topic.empty()) [[unlikely]]
    in.require(p.properties.number(PropertyId::topic_alias).has_value(), clauses::publish_topic_empty,
               "PUBLISH without a topic name", ReasonCode::protocol_error, topic_at);
  p.payload = in.rest();
  return in.done(p);
}

std::expected<PacketView, DecodeError> decode(const Frame& frame, DecodeContext context) {
  if (const auto fault = find_header_error(frame, context)) return std::unexpected(*fault);
  switch (static_cast<PacketType>(frame.type())) {
    case PacketType::connect: return widen(decode_connect(frame));
    case PacketType::connack: return widen(decode_connack(frame, context));
    case PacketType::publish: return widen(decode_publish(frame, context));
    case PacketType::puback:
      return widen(decode_ack<PubackView>(frame, context, PacketType::puback, clauses::puback_reason));
    case PacketType::pubrec:
      return widen(decode_ack<PubrecView>(frame, context, PacketType::pubrec, clauses::pubrec_reason));
    case PacketType::pubrel:
      return widen(decode_ack<PubrelView>(frame, context, PacketType::pubrel, clauses::pubrel_reason));
    case PacketType::pubcomp:
      return widen(decode_ack<PubcompView>(frame, context, PacketType::pubcomp, clauses::pubcomp_reason));
    case PacketType::subscribe: return widen(decode_subscribe(frame, context));
    case PacketType::suback: return widen(decode_suback(frame, context));
    case PacketType::unsubscribe: return widen(decode_unsubscribe(frame, context));
    case PacketType::unsuback: return widen(decode_unsuback(frame, context));
    case PacketType::pingreq: return widen(decode_empty<PingreqView>(frame, context.version));
    case PacketType::pingresp: return widen(decode_empty<PingrespView>(frame, context.version));
    case PacketType::disconnect: return widen(decode_disconnect(frame, context));
    case PacketType::auth: return widen(decode_auth(frame, context));
  }
  return std::unexpected(DecodeError{ReasonCode::malformed_packet, clauses::type_reserved.id(context.version),
                                     "packet type is reserved", 0});
}

}  // namespace mqtt
