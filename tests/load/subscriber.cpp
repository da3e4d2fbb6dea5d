#include "subscriber.hpp"

#include <mqtt/codec/decode.hpp>

namespace load {
namespace {

constexpr std::uint32_t publishers_max = 1'000'000;  // a number above it is somebody else's payload

}  // namespace

void Receipts::report(Json& to) const {
  to["delivered"] = delivered;
  to["duplicates"] = duplicates;
  to["out_of_order"] = out_of_order;
  to["foreign"] = foreign;
  to["latency_us"] = latency.report();
}

std::uint64_t Subscriber::missing(std::uint32_t publisher, std::uint64_t sent) const {
  return publisher < checks_.size() ? checks_[publisher].missing(sent) : sent;
}

void Subscriber::on_message(const mqtt::Frame& frame) {
  if (type_of(frame) == mqtt::PacketType::publish) return on_publish(frame);
  if (type_of(frame) != mqtt::PacketType::pubrel) return;
  const mqtt::PacketId id = packet_id_of(frame);
  if (!held_.empty()) held_[id] = false;
  acknowledge(mqtt::PacketType::pubcomp, id);
}

void Subscriber::on_publish(const mqtt::Frame& frame) {
  const auto publish = mqtt::decode_publish(frame, {options().version, mqtt::Sender::server});
  if (!publish) {
    ++receipts_->foreign;
    return;
  }
  if (publish->qos == mqtt::QoS::exactly_once) {
    if (held_.empty()) held_.resize(65'536);
    const bool again = held_[publish->packet_id];
    held_[publish->packet_id] = true;
    acknowledge(mqtt::PacketType::pubrec, publish->packet_id);
    if (again) return;
  }
  if (publish->qos == mqtt::QoS::at_least_once) acknowledge(mqtt::PacketType::puback, publish->packet_id);
  take(publish->payload);
}

void Subscriber::acknowledge(mqtt::PacketType type, mqtt::PacketId id) {
  append_ack(client().out(), type, id);
  client().send({});
}

void Subscriber::take(mqtt::Bytes payload) {
  Stamp stamp;
  if (!read_stamp(payload, stamp) || stamp.publisher > publishers_max) {
    ++receipts_->foreign;
    return;
  }
  receipts_->last_ns = now_ns();
  receipts_->latency.add(receipts_->last_ns - stamp.sent_ns);
  if (stamp.publisher >= checks_.size()) checks_.resize(stamp.publisher + 1);
  switch (checks_[stamp.publisher].take(stamp.number)) {
    case Arrival::duplicate: ++receipts_->duplicates; return;
    case Arrival::late: ++receipts_->out_of_order; break;
    case Arrival::in_order: break;
  }
  ++receipts_->delivered;
}

}  // namespace load
