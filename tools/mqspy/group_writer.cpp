#include "mqspy/group_writer.hpp"

#include "mqspy/names.hpp"

namespace mq::spy {
namespace {

using mqtt::PacketType;

bool begins_exchange(const mqtt::FlowPacket& packet) {
  if (!packet.packet) return false;
  const auto* const publish = std::get_if<mqtt::PublishView>(&*packet.packet);
  if (publish) return publish->qos != mqtt::QoS::at_most_once;
  const PacketType type = type_of(packet);
  return type == PacketType::connect || type == PacketType::subscribe || type == PacketType::unsubscribe ||
         type == PacketType::pingreq;
}

/// PUBREC and PUBREL are answered in their turn, unless they say that there is nothing to go on with.
bool goes_on(const mqtt::FlowPacket& packet) {
  const auto* const pubrec = std::get_if<mqtt::PubrecView>(&*packet.packet);
  return pubrec ? !is_error(pubrec->reason) : type_of(packet) == PacketType::pubrel;
}

}  // namespace

void GroupWriter::on_packet(const PacketRecord& record) {
  const mqtt::FlowPacket& packet = record.packet;
  const auto exchange = packet.answers ? waiting_.extract({record.link.number, packet.answers->number})
                                       : std::map<Key, std::string>::node_type{};
  if (!exchange && !(begins_exchange(packet) && waiting_.size() < waiting_max))
    return lines_.on_packet(record);
  std::string text = exchange ? std::move(exchange.mapped()) : std::string{};
  if (exchange) {
    std::string answer = " | ";
    append_packet(answer, packet, view_);
    append_latency(answer += ' ', *record.latency());
    text.insert(text.find('\n'), answer);  // findings stand below
  }
  // The line is made where lines are made, and taken from there.
  const std::size_t before = out_.size();
  if (!exchange || !record.findings.empty()) lines_.on_packet(record);
  text += out_.substr(before);
  out_.resize(before);
  if (exchange && !goes_on(packet))
    out_ += text;
  else
    waiting_[{record.link.number, packet.step.number}] = std::move(text);
}

/// What was never finished is told now.
void GroupWriter::on_close(const CloseRecord& record) {
  const auto begin = waiting_.lower_bound({record.link.number, 0}),
             end = waiting_.lower_bound({record.link.number + 1, 0});
  for (auto one = begin; one != end; ++one) {
    std::string& text = one->second;
    out_ += text.insert(text.find('\n'), "  unfinished");
  }
  waiting_.erase(begin, end);
  lines_.on_close(record);
}

}  // namespace mq::spy
