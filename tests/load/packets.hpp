#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <mqtt/codec/framer.hpp>
#include <mqtt/codec/packet.hpp>

namespace load {

struct ConnectOptions {
  mqtt::Version version = mqtt::Version::v5;
  std::string client_id;
  std::uint16_t keep_alive = 0;
  std::uint32_t session_expiry_seconds = 0;  ///< 5.0
  bool clean_start = true;
};

[[nodiscard]] std::string connect_packet(const ConnectOptions& options);
[[nodiscard]] std::string subscribe_packet(std::span<const std::string> filters, mqtt::QoS qos,
                                           mqtt::Version version);
/// PUBACK, PUBREC, PUBREL or PUBCOMP of four bytes, appended.
void append_ack(std::string& out, mqtt::PacketType type, mqtt::PacketId id);
[[nodiscard]] std::string ping_packet();
[[nodiscard]] std::string disconnect_packet();

/// What the generator writes into the first 16 bytes of each payload, in this machine's byte order.
struct Stamp {
  std::uint32_t publisher = 0;
  std::uint32_t number = 0;
  std::uint64_t sent_ns = 0;
};
inline constexpr std::size_t stamp_bytes = sizeof(Stamp);
static_assert(stamp_bytes == 16);

/// A PUBLISH encoded once, of which each copy gets its own packet identifier and stamp.
class PublishTemplate {
 public:
  /// `size` of the payload: at least `stamp_bytes`.
  PublishTemplate(std::string_view topic, std::size_t size, mqtt::QoS qos, mqtt::Version version,
                  bool retain = false);
  void append(std::string& out, mqtt::PacketId id, const Stamp& stamp) const;
  [[nodiscard]] std::size_t size() const { return packet_.size(); }

 private:
  std::string packet_;
  std::size_t id_at_ = 0;  // 0: QoS 0, no id
  std::size_t stamp_at_ = 0;
};

/// Nothing if the payload is too short to be ours.
[[nodiscard]] bool read_stamp(mqtt::Bytes payload, Stamp& stamp);

/// The packet identifier of an acknowledgement, SUBACK or UNSUBACK.
[[nodiscard]] mqtt::PacketId packet_id_of(const mqtt::Frame& frame);
/// The reason code byte of an acknowledgement; 0 (success) where it is left out.
[[nodiscard]] std::uint8_t reason_of(const mqtt::Frame& frame);
[[nodiscard]] inline mqtt::PacketType type_of(const mqtt::Frame& frame) {
  return static_cast<mqtt::PacketType>(frame.type());
}

}  // namespace load
