#include <mqtt/session/limits.hpp>

namespace mqtt {

PeerLimits read_peer_limits(PropertiesView properties) {
  PeerLimits limits;
  for (const PropertyView& property : properties) {
    if (property.id == PropertyId::receive_maximum)
      limits.receive_maximum = static_cast<std::uint16_t>(property.number);
    else if (property.id == PropertyId::topic_alias_maximum)
      limits.topic_alias_maximum = static_cast<std::uint16_t>(property.number);
    else if (property.id == PropertyId::maximum_packet_size)
      limits.maximum_packet_size = property.number;
  }
  return limits;
}

void read_server_limits(PropertiesView properties, ServerLimits& limits) {
  static_cast<PeerLimits&>(limits) = read_peer_limits(properties);
  for (const PropertyView& property : properties) {
    const bool available = property.number != 0;
    switch (property.id) {
      case PropertyId::maximum_qos: limits.maximum_qos = static_cast<QoS>(property.number); break;
      case PropertyId::retain_available: limits.retain_available = available; break;
      case PropertyId::wildcard_subscription_available: limits.wildcard_available = available; break;
      case PropertyId::subscription_identifier_available:
        limits.subscription_identifier_available = available;
        break;
      case PropertyId::shared_subscription_available: limits.shared_available = available; break;
      case PropertyId::server_keep_alive:
        limits.keep_alive = static_cast<std::uint16_t>(property.number);
        break;
      case PropertyId::session_expiry_interval: limits.session_expiry_interval = property.number; break;
      default: break;
    }
  }
}

}  // namespace mqtt
