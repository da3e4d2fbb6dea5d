#include "publisher.hpp"

#include <algorithm>

namespace load {
namespace {

constexpr std::size_t unsent_max = 64 * 1024;  // what one write takes; more would only age in our buffer

}  // namespace

Publisher::Publisher(Loop& loop, ConnectOptions options, std::uint32_t number, mqtt::QoS qos,
                     std::uint32_t window)
    : Session{loop, std::move(options)},
      number_{number},
      qos_{qos},
      window_{std::clamp<std::uint32_t>(window, 1, 65'535)},
      awaits_(qos == mqtt::QoS::at_most_once ? 0 : 65'536, Awaits::nothing) {}

bool Publisher::can_publish() {
  if (!connected() || client().unsent() >= unsent_max) return false;
  if (qos_ == mqtt::QoS::at_most_once) return true;
  return in_flight_ < std::min(window_, receive_maximum()) && awaits_[next_id_] == Awaits::nothing;
}

void Publisher::publish(const PublishTemplate& message) {
  message.append(client().out(), next_id_, {number_, sent_++, now_ns()});
  client().send({});
  if (qos_ == mqtt::QoS::at_most_once) return;
  awaits_[next_id_] = qos_ == mqtt::QoS::at_least_once ? Awaits::puback : Awaits::pubrec;
  ++in_flight_;
  next_id_ = next_id_ == 65'535 ? mqtt::PacketId{1} : static_cast<mqtt::PacketId>(next_id_ + 1);
}

void Publisher::on_message(const mqtt::Frame& frame) {
  const mqtt::PacketId id = packet_id_of(frame);
  const Awaits awaited = awaits_.empty() ? Awaits::nothing : awaits_[id];
  const mqtt::PacketType type = type_of(frame);
  if (type == mqtt::PacketType::puback && awaited == Awaits::puback) return finish(id, reason_of(frame));
  if (type == mqtt::PacketType::pubrec && awaited == Awaits::pubrec) return on_pubrec(id, reason_of(frame));
  if (type == mqtt::PacketType::pubcomp && awaited == Awaits::pubcomp) return finish(id, reason_of(frame));
  ++unexpected_;
}

void Publisher::on_pubrec(mqtt::PacketId id, std::uint8_t reason) {
  if (reason >= 0x80) return finish(id, reason);
  awaits_[id] = Awaits::pubcomp;
  append_ack(client().out(), mqtt::PacketType::pubrel, id);
  client().send({});
}

void Publisher::finish(mqtt::PacketId id, std::uint8_t reason) {
  awaits_[id] = Awaits::nothing;
  --in_flight_;
  ++(reason >= 0x80 ? refused_ : acked_);
}

}  // namespace load
