#pragma once
#include <string_view>

#include <mqtt/inspect/flow.hpp>

// Words for what records hold; the same in every output.

namespace mq::spy {

[[nodiscard]] constexpr std::string_view how_name(mqtt::FlowClose::How how) {
  return how == mqtt::FlowClose::How::fin ? "fin" : how == mqtt::FlowClose::How::reset ? "reset" : "unknown";
}
[[nodiscard]] constexpr std::string_view side_name(mqtt::Sender side) {
  return side == mqtt::Sender::client ? "client" : "server";
}
[[nodiscard]] constexpr std::string_view dir_name(mqtt::Sender sender) {
  return sender == mqtt::Sender::client ? "c2s" : "s2c";
}
/// What the first byte says, whatever becomes of the rest.
[[nodiscard]] inline mqtt::PacketType type_of(const mqtt::FlowPacket& packet) {
  return static_cast<mqtt::PacketType>(packet.bytes[0] >> 4);
}

}  // namespace mq::spy
