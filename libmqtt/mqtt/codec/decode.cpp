#include <mqtt/codec/decode.hpp>

#include <algorithm>

#include <mqtt/codec/decode_parts.hpp>
#include <mqtt/codec/topic.hpp>

namespace mqtt {
namespace {

using namespace detail;

/// The names of 3.3.1: which bits of the first byte say what.
constexpr unsigned retain_bit = 1, qos_shift = 1, dup_bit = 8;

/// [MQTT-3.3.2-2].
void check_topic_name(Reader& in, std::string_view topic, std::uint32_t at) {
  const std::size_t wildcard = find_wildcard(topic);
  if (wildcard == topic.npos) [[likely]]
    return;
  in.fail(clauses::publish_topic_wildcard, "topic name contains a wildcard", ReasonCode::topic_name_invalid,
          at + 2 + static_cast<std::uint32_t>(wildcard));
}

/// An answer that has only its packet identifier means Success; before 5.0 that is its only form.
template <class Ack>
Decoded<Ack> decode_ack(const Frame& frame, const Task& task, PacketType type, Clause reason_clause) {
  Reader in = reader_of(frame, task);
  Ack ack;
  ack.packet_id = in.packet_id(clauses::answer_packet_id);
  if (task.version != Version::v5) return in.done(ack);
  if (in.left() > 0) ack.reason = reason_code(in, type, task.sender, reason_clause);
  if (in.left() > 0) ack.properties = in.properties(place_of(type), task.sender);
  return in.done(ack);
}

Decoded<DisconnectView> decode_disconnect(const Frame& frame, const Task& task) {
  Reader in = reader_of(frame, task);
  DisconnectView disconnect;
  if (task.version != Version::v5) {
    in.require(task.sender == Sender::client, clauses::server_disconnect_before_5,
               "server sent a DISCONNECT, which only MQTT 5.0 allows", ReasonCode::protocol_error, 0);
    return in.done(disconnect);
  }
  if (in.left() > 0)
    disconnect.reason = reason_code(in, PacketType::disconnect, task.sender, clauses::disconnect_reason);
  if (in.left() > 0) disconnect.properties = in.properties(PropertyPlace::disconnect, task.sender);
  return in.done(disconnect);
}

Decoded<AuthView> decode_auth(const Frame& frame, const Task& task) {
  Reader in = reader_of(frame, task);
  AuthView auth;
  if (in.left() > 0) {
    auth.reason = reason_code(in, PacketType::auth, task.sender, clauses::auth_reason);
    const std::uint32_t at = in.offset();
    auth.properties = in.properties(PropertyPlace::auth, task.sender);
    in.require(!in.ok() || auth.properties.text(PropertyId::authentication_method).has_value(),
               clauses::auth_method, "AUTH without an Authentication Method", ReasonCode::protocol_error, at);
  }
  return in.done(auth);
}

template <class Empty>
Decoded<Empty> decode_empty(const Frame& frame, const Task& task) {
  Reader in = reader_of(frame, task);
  return in.done(Empty{});
}

/// The fixed low nibble of each type (Table 2-2). MQTT 3.1 allows DUP on requests and PUBREL.
bool flags_valid(std::uint8_t first_byte, Version version) {
  const auto type = static_cast<PacketType>(first_byte >> 4);
  const unsigned flags = first_byte & 0x0F;
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

/// Whether the type is known and came from the right side, and its flags are right: the fixed header.
void check_header(Reader& in, std::uint8_t first_byte, Sender sender) {
  const auto type = static_cast<PacketType>(first_byte >> 4);
  if (first_byte >> 4 == 0 || (type == PacketType::auth && in.version() != Version::v5))
    in.lose(clauses::type_reserved, "packet type is reserved", ReasonCode::malformed_packet, 0);
  in.require(direction_valid(type, sender), clauses::type_direction,
             sender == Sender::server ? "server sent a packet that only clients send"
                                      : "client sent a packet that only servers send",
             ReasonCode::protocol_error, 0);
  in.require(flags_valid(first_byte, in.version()), clauses::flags_reserved,
             "reserved flags of the fixed header are wrong", ReasonCode::malformed_packet, 0);
}

template <class T>
std::expected<PacketView, DecodeError> widen(Decoded<T>&& decoded) {
  if (!decoded) return std::unexpected(decoded.error());
  return PacketView{*decoded};
}

Decoded<PublishView> read_publish(const Frame& frame, const Task& task) {
  Reader in = reader_of(frame, task);
  const std::uint8_t flags = frame.first_byte();
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
  if (qos == 3) in.doubt();  // nobody says whether a packet identifier follows
  if (qos > 0)
    p.packet_id =
        in.packet_id(task.sender == Sender::client ? clauses::request_packet_id : clauses::server_packet_id);
  p.properties = in.properties(PropertyPlace::publish, task.sender);
  if (p.topic.empty()) [[unlikely]]
    in.require(p.properties.number(PropertyId::topic_alias).has_value(), clauses::publish_topic_empty,
               "PUBLISH without a topic name", ReasonCode::protocol_error, topic_at);
  p.payload = in.rest();
  return in.done(p);
}

std::expected<PacketView, DecodeError> decode_body(const Frame& frame, const Task& task) {
  using enum PacketType;
  switch (static_cast<PacketType>(frame.type())) {
    case connect: return widen(decode_connect(frame, task));
    case connack: return widen(decode_connack(frame, task));
    case publish: return widen(read_publish(frame, task));
    case puback: return widen(decode_ack<PubackView>(frame, task, puback, clauses::puback_reason));
    case pubrec: return widen(decode_ack<PubrecView>(frame, task, pubrec, clauses::pubrec_reason));
    case pubrel: return widen(decode_ack<PubrelView>(frame, task, pubrel, clauses::pubrel_reason));
    case pubcomp: return widen(decode_ack<PubcompView>(frame, task, pubcomp, clauses::pubcomp_reason));
    case subscribe: return widen(decode_subscribe(frame, task));
    case suback: return widen(decode_suback(frame, task));
    case unsubscribe: return widen(decode_unsubscribe(frame, task));
    case unsuback: return widen(decode_unsuback(frame, task));
    case pingreq: return widen(decode_empty<PingreqView>(frame, task));
    case pingresp: return widen(decode_empty<PingrespView>(frame, task));
    case disconnect: return widen(decode_disconnect(frame, task));
    case auth: return widen(decode_auth(frame, task));
  }
  return std::unexpected(DecodeError{ReasonCode::malformed_packet, clauses::type_reserved.id(task.version),
                                     "packet type is reserved", 0});
}

}  // namespace

std::expected<PublishView, DecodeError> decode_publish(const Frame& frame, DecodeContext context) {
  return read_publish(frame, {context.version, context.sender});
}

std::expected<PacketView, DecodeError> decode(const Frame& frame, DecodeContext context) {
  const Task task{context.version, context.sender};
  Reader header = reader_of(frame, task);
  check_header(header, frame.first_byte(), context.sender);
  if (!header.ok()) return std::unexpected(header.error());
  return decode_body(frame, task);
}

Reading decode_all(const Frame& frame, DecodeContext context) {
  FaultList all;
  Task task{context.version, context.sender, &all};
  Reader header = reader_of(frame, task);
  check_header(header, frame.first_byte(), context.sender);
  // A packet of the wrong side is what the right one would have sent.
  if (!direction_valid(static_cast<PacketType>(frame.type()), task.sender)) task.sender = other(task.sender);
  Reading reading;
  if (header.ok())
    if (const auto packet = decode_body(frame, task)) reading.packet = *packet;
  reading.faults = all.faults();
  if (all.lost_at())
    reading.body_read = std::max<std::uint32_t>(*all.lost_at(), frame.header_size) - frame.header_size;
  return reading;
}

}  // namespace mqtt
