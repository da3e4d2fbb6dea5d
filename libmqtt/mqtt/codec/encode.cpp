#include <mqtt/codec/encode.hpp>

#include <mqtt/codec/writer.hpp>

namespace mqtt {
namespace {

constexpr std::size_t packet_id_size = 2;

std::size_t field_size(std::size_t size) { return 2 + size; }

std::size_t properties_size(PropertiesView properties, Version version) {
  if (version != Version::v5) return 0;
  const std::size_t size = properties.encoded().size();
  return varint_size(static_cast<std::uint32_t>(std::min<std::size_t>(size, remaining_length_max))) + size;
}

void write_properties(Writer& out, PropertiesView properties, Version version) {
  if (version == Version::v5) out.properties(properties);
}

std::uint8_t first_byte(PacketType type, unsigned flags = 0) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags);
}

// Each packet type: whether its fields fit their two-byte lengths, the bytes of its body, its body,
// and the flags of its fixed header. Only the types that differ from the default say so.

template <class T>
bool fits(const T&) {
  return true;
}
template <class T>
unsigned flags_of(const T&) {
  return 0;
}

bool fits(const ConnectView& p) {
  const bool will_fits =
      !p.will || (p.will->topic.size() <= field_size_max && p.will->payload.size() <= field_size_max);
  return will_fits && p.client_id.size() <= field_size_max &&
         (!p.user_name || p.user_name->size() <= field_size_max) &&
         (!p.password || p.password->size() <= field_size_max);
}

std::string_view protocol_name(Version version) { return version == Version::v3_1 ? "MQIsdp" : "MQTT"; }

std::size_t body_size(const ConnectView& p, Version) {
  std::size_t size = field_size(protocol_name(p.version).size()) + 1 + 1 + 2 +
                     properties_size(p.properties, p.version) + field_size(p.client_id.size());
  if (p.will)
    size += properties_size(p.will->properties, p.version) + field_size(p.will->topic.size()) +
            field_size(p.will->payload.size());
  if (p.user_name) size += field_size(p.user_name->size());
  if (p.password) size += field_size(p.password->size());
  return size;
}

std::uint8_t connect_flags(const ConnectView& p) {
  unsigned flags = p.clean_start ? 0x02u : 0u;
  if (p.will)
    flags |= 0x04u | static_cast<unsigned>(to_number(p.will->qos)) << 3 | (p.will->retain ? 0x20u : 0u);
  if (p.password) flags |= 0x40u;
  if (p.user_name) flags |= 0x80u;
  return static_cast<std::uint8_t>(flags);
}

void write_body(Writer& out, const ConnectView& p, Version) {
  out.field(protocol_name(p.version));
  const bool says_bridge = p.bridge && p.version != Version::v5;
  out.byte(static_cast<std::uint8_t>(static_cast<unsigned>(p.version) | (says_bridge ? 0x80u : 0u)));
  out.byte(connect_flags(p));
  out.two_byte_integer(p.keep_alive);
  write_properties(out, p.properties, p.version);
  out.field(p.client_id);
  if (p.will) {
    write_properties(out, p.will->properties, p.version);
    out.field(p.will->topic);
    out.field(p.will->payload);
  }
  if (p.user_name) out.field(*p.user_name);
  if (p.password) out.field(*p.password);
}

std::size_t body_size(const ConnackView& p, Version version) {
  return 2 + properties_size(p.properties, version);
}

void write_body(Writer& out, const ConnackView& p, Version version) {
  out.byte(p.session_present && version != Version::v3_1 ? 1 : 0);
  out.byte(version == Version::v5 ? static_cast<std::uint8_t>(p.reason)
                                  : static_cast<std::uint8_t>(p.return_code));
  write_properties(out, p.properties, version);
}

bool fits(const PublishView& p) { return p.topic.size() <= field_size_max; }

unsigned flags_of(const PublishView& p) {
  return (p.dup ? 8u : 0u) | static_cast<unsigned>(to_number(p.qos)) << 1 | (p.retain ? 1u : 0u);
}

/// Everything but the payload.
std::size_t publish_header_size(const PublishView& p, Version version) {
  return field_size(p.topic.size()) + (p.qos == QoS::at_most_once ? 0 : packet_id_size) +
         properties_size(p.properties, version);
}

std::size_t body_size(const PublishView& p, Version version) {
  return publish_header_size(p, version) + p.payload.size();
}

void write_publish_header(Writer& out, const PublishView& p, Version version) {
  out.field(p.topic);
  if (p.qos != QoS::at_most_once) out.two_byte_integer(p.packet_id);
  write_properties(out, p.properties, version);
}

void write_body(Writer& out, const PublishView& p, Version version) {
  write_publish_header(out, p, version);
  out.raw(p.payload);
}

unsigned flags_of(const PubrelView&) { return 2; }
unsigned flags_of(const SubscribeView&) { return 2; }
unsigned flags_of(const UnsubscribeView&) { return 2; }

/// Success without properties is the short form (3.4.2.1); so is a reason alone.
std::size_t body_size(const AckView& p, Version version) {
  if (version != Version::v5 || (p.reason == ReasonCode::success && p.properties.empty()))
    return packet_id_size;
  return packet_id_size + 1 + (p.properties.empty() ? 0 : properties_size(p.properties, version));
}

void write_body(Writer& out, const AckView& p, Version version) {
  const std::size_t size = body_size(p, version);
  out.two_byte_integer(p.packet_id);
  if (size > packet_id_size) out.byte(static_cast<std::uint8_t>(p.reason));
  if (size > packet_id_size + 1) out.properties(p.properties);
}

std::size_t body_size(const SubscribeView& p, Version version) {
  return packet_id_size + properties_size(p.properties, version) + p.subscriptions.encoded().size();
}
std::size_t body_size(const UnsubscribeView& p, Version version) {
  return packet_id_size + properties_size(p.properties, version) + p.filters.encoded().size();
}
std::size_t body_size(const SubackView& p, Version version) {
  return packet_id_size + properties_size(p.properties, version) + p.reasons.size();
}
std::size_t body_size(const UnsubackView& p, Version version) {
  return packet_id_size + properties_size(p.properties, version) +
         (version == Version::v5 ? p.reasons.size() : 0);
}

/// The four share one layout: packet identifier, properties, then bytes that stand encoded already.
void write_request(Writer& out, PacketId id, PropertiesView properties, Bytes rest, Version version) {
  out.two_byte_integer(id);
  write_properties(out, properties, version);
  out.raw(rest);
}
void write_body(Writer& out, const SubscribeView& p, Version v) {
  write_request(out, p.packet_id, p.properties, p.subscriptions.encoded(), v);
}
void write_body(Writer& out, const UnsubscribeView& p, Version v) {
  write_request(out, p.packet_id, p.properties, p.filters.encoded(), v);
}
void write_body(Writer& out, const SubackView& p, Version v) {
  write_request(out, p.packet_id, p.properties, p.reasons, v);
}
void write_body(Writer& out, const UnsubackView& p, Version v) {
  write_request(out, p.packet_id, p.properties, v == Version::v5 ? p.reasons : Bytes{}, v);
}

std::size_t body_size(const PingreqView&, Version) { return 0; }
std::size_t body_size(const PingrespView&, Version) { return 0; }
void write_body(Writer&, const PingreqView&, Version) {}
void write_body(Writer&, const PingrespView&, Version) {}

/// DISCONNECT (3.14.2) may leave out properties, and both when it is a normal one.
std::size_t body_size(const DisconnectView& p, Version version) {
  if (version != Version::v5) return 0;
  if (!p.properties.empty()) return 1 + properties_size(p.properties, version);
  return p.reason == ReasonCode::normal_disconnection ? 0 : 1;
}

/// AUTH (3.15.2.1) may be empty, but not without properties otherwise.
std::size_t body_size(const AuthView& p, Version version) {
  if (p.reason == ReasonCode::success && p.properties.empty()) return 0;
  return 1 + properties_size(p.properties, version);
}

void write_reason_and_properties(Writer& out, ReasonCode reason, PropertiesView properties,
                                 std::size_t size) {
  if (size > 0) out.byte(static_cast<std::uint8_t>(reason));
  if (size > 1) out.properties(properties);
}
void write_body(Writer& out, const DisconnectView& p, Version v) {
  write_reason_and_properties(out, p.reason, p.properties, body_size(p, v));
}
void write_body(Writer& out, const AuthView& p, Version v) {
  write_reason_and_properties(out, p.reason, p.properties, body_size(p, v));
}

std::optional<std::size_t> whole_size(bool fields_fit, std::size_t body) {
  if (!fields_fit || body > remaining_length_max) return std::nullopt;
  return 1 + varint_size(static_cast<std::uint32_t>(body)) + body;
}

}  // namespace

std::optional<std::size_t> encoded_size(const PacketView& packet, Version version) {
  return std::visit([&](const auto& p) { return whole_size(fits(p), body_size(p, version)); }, packet);
}

bool encode(OutBuffer& out, const PacketView& packet, Version version) {
  return std::visit(
      [&](const auto& p) {
        const std::size_t body = body_size(p, version);
        const auto size = whole_size(fits(p), body);
        if (!size) return false;
        Writer writer{out.append(*size).data()};
        writer.byte(first_byte(type_of(packet), flags_of(p)));
        writer.variable_byte_integer(static_cast<std::uint32_t>(body));
        write_body(writer, p, version);
        return true;
      },
      packet);
}

std::optional<std::size_t> encoded_publish_size(const PublishView& publish, std::size_t payload_size,
                                                Version version) {
  return whole_size(fits(publish), publish_header_size(publish, version) + payload_size);
}

bool encode_publish(OutBuffer& out, const PublishView& publish, const SharedBytes& payload, Version version) {
  const std::size_t header = publish_header_size(publish, version);
  const std::size_t body = header + payload.bytes.size();
  const auto size = whole_size(fits(publish), body);
  if (!size) return false;
  const bool referenced = payload.owner && payload.bytes.size() >= OutBuffer::reference_from_bytes;
  const std::size_t inlined = referenced ? *size - payload.bytes.size() : *size;
  Writer writer{out.append(inlined).data()};
  writer.byte(first_byte(PacketType::publish, flags_of(publish)));
  writer.variable_byte_integer(static_cast<std::uint32_t>(body));
  write_publish_header(writer, publish, version);
  if (referenced)
    out.append_shared(payload);
  else
    writer.raw(payload.bytes);
  return true;
}

}  // namespace mqtt
