#include "session.hpp"

#include <mqtt/codec/decode.hpp>

namespace load {

void Session::open(const Target& target, unsigned number) {
  options_.version = target.version;
  connected_ = false;
  reason_.reset();
  subscribes_ = subacks_ = refused_filters_ = 0;
  lost_ = !client_.open(target, number);
  client_.send(connect_packet(options_));
}

void Session::leave() {
  client_.send(disconnect_packet());
  client_.close();
}

void Session::subscribe(std::span<const std::string> filters, mqtt::QoS qos) {
  client_.send(subscribe_packet(filters, qos, options_.version));
  ++subscribes_;
}

void Session::ping() {
  client_.send(ping_packet());
  ping_sent_ns_ = now_ns();
  ++pings_;
}

void Session::on_packet(const mqtt::Frame& frame) {
  switch (type_of(frame)) {
    case mqtt::PacketType::connack: return on_connack(frame);
    case mqtt::PacketType::suback: return on_suback(frame);
    case mqtt::PacketType::pingresp: ++pongs_; return;
    case mqtt::PacketType::disconnect:
      reason_ = frame.body().empty() ? std::uint8_t{0} : frame.body()[0];
      return;
    default: return on_message(frame);
  }
}

void Session::on_connack(const mqtt::Frame& frame) {
  const auto packet = mqtt::decode(frame, {options_.version, mqtt::Sender::server});
  const auto* connack = packet ? std::get_if<mqtt::ConnackView>(&*packet) : nullptr;
  connected_ = connack != nullptr && connack->reason == mqtt::ReasonCode::success;
  if (!connected_) reason_ = frame.body().size() < 2 ? std::uint8_t{0x81} : frame.body()[1];
  if (connected_)
    receive_maximum_ =
        connack->properties.number_or(mqtt::PropertyId::receive_maximum, mqtt::receive_maximum_default);
}

void Session::on_suback(const mqtt::Frame& frame) {
  ++subacks_;
  const auto packet = mqtt::decode(frame, {options_.version, mqtt::Sender::server});
  const auto* suback = packet ? std::get_if<mqtt::SubackView>(&*packet) : nullptr;
  if (suback == nullptr) return;
  for (const std::uint8_t code : suback->reasons) refused_filters_ += code >= 0x80 ? 1U : 0U;
}

}  // namespace load
