#include "packets.hpp"

#include <mqtt/codec/encode.hpp>
#include <mqtt/codec/property.hpp>

namespace load {
namespace {

std::string encoded(const mqtt::PacketView& packet, mqtt::Version version) {
  mqtt::ChunkPool pool;
  mqtt::OutBuffer out{pool};
  (void)mqtt::encode(out, packet, version);
  std::string bytes;
  while (!out.empty()) {
    iovec part{};
    (void)out.gather({&part, 1});
    bytes.append(static_cast<const char*>(part.iov_base), part.iov_len);
    out.consume(part.iov_len);
  }
  return bytes;
}

char high(unsigned value) { return static_cast<char>(value >> 8); }
char low(unsigned value) { return static_cast<char>(value & 0xFF); }

}  // namespace

std::string connect_packet(const ConnectOptions& options) {
  mqtt::Properties properties;
  if (options.version == mqtt::Version::v5 && options.session_expiry_seconds > 0)
    properties.add(mqtt::PropertyId::session_expiry_interval, options.session_expiry_seconds);
  mqtt::ConnectView connect;
  connect.version = options.version;
  connect.clean_start = options.clean_start;
  connect.keep_alive = options.keep_alive;
  connect.client_id = options.client_id;
  connect.properties = properties;
  return encoded(connect, options.version);
}

std::string subscribe_packet(std::span<const std::string> filters, mqtt::QoS qos, mqtt::Version version) {
  mqtt::SubscriptionList list;
  for (const std::string& filter : filters) list.add(filter, {.qos = qos});
  mqtt::SubscribeView subscribe;
  subscribe.packet_id = 1;
  subscribe.subscriptions = list.view();
  return encoded(subscribe, version);
}

void append_ack(std::string& out, mqtt::PacketType type, mqtt::PacketId id) {
  const unsigned flags = type == mqtt::PacketType::pubrel ? 2 : 0;  // [MQTT-3.6.1-1]
  const char bytes[] = {static_cast<char>(static_cast<unsigned>(type) << 4 | flags), 2, high(id), low(id)};
  out.append(bytes, sizeof bytes);
}

std::string ping_packet() { return {'\xC0', '\0'}; }

std::string disconnect_packet() { return {'\xE0', '\0'}; }

PublishTemplate::PublishTemplate(std::string_view topic, std::size_t size, mqtt::QoS qos,
                                 mqtt::Version version, bool retain) {
  const std::string payload(size, 'x');
  mqtt::PublishView publish;
  publish.qos = qos;
  publish.retain = retain;
  publish.topic = topic;
  publish.packet_id = 1;
  publish.payload = mqtt::as_bytes(payload);
  packet_ = encoded(publish, version);
  stamp_at_ = packet_.size() - size;
  if (qos != mqtt::QoS::at_most_once) id_at_ = stamp_at_ - (version == mqtt::Version::v5 ? 3 : 2);
}

void PublishTemplate::append(std::string& out, mqtt::PacketId id, const Stamp& stamp) const {
  const std::size_t at = out.size();
  out += packet_;
  if (id_at_ != 0) {
    out[at + id_at_] = high(id);
    out[at + id_at_ + 1] = low(id);
  }
  std::memcpy(out.data() + at + stamp_at_, &stamp, stamp_bytes);
}

bool read_stamp(mqtt::Bytes payload, Stamp& stamp) {
  if (payload.size() < stamp_bytes) return false;
  std::memcpy(&stamp, payload.data(), stamp_bytes);
  return true;
}

mqtt::PacketId packet_id_of(const mqtt::Frame& frame) {
  const mqtt::Bytes body = frame.body();
  return body.size() < 2 ? mqtt::PacketId{0} : static_cast<mqtt::PacketId>(body[0] << 8 | body[1]);
}

std::uint8_t reason_of(const mqtt::Frame& frame) {
  return frame.body().size() < 3 ? std::uint8_t{0} : frame.body()[2];
}

}  // namespace load
