#include "mqbroker/packet_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include <mqtt/broker/filter_relation.hpp>
#include <mqtt/codec/topic.hpp>
#include <mqtt/inspect/describe.hpp>

#include "common/spelling.hpp"

namespace mq {
namespace {

using mqtt::PacketType;
using mqtt::PropertyId;

bool is_filter(std::string_view word) { return !mqtt::find_topic_filter_error(word); }

mqtt::PacketId id_of(const mqtt::PacketView& packet) {
  return std::visit(
      [](const auto& p) -> mqtt::PacketId {
        if constexpr (requires { p.packet_id; })
          return p.packet_id;
        else
          return 0;
      },
      packet);
}

/// The message's flow is over with it.
bool ends_flow(const mqtt::PacketView& packet) {
  if (const auto* pubrec = std::get_if<mqtt::PubrecView>(&packet)) return mqtt::is_error(pubrec->reason);
  return type_of(packet) != PacketType::pubrel;
}

TraceFilter::Way opposite(TraceFilter::Way way) {
  using enum TraceFilter::Way;
  return way == to_client ? from_client : to_client;
}

}  // namespace

bool TraceSubjects::has_client(std::string_view client_id) const {
  return std::ranges::find(words_, client_id) != words_.end();
}

bool TraceSubjects::has_topic(std::string_view topic) const {
  return std::ranges::any_of(words_, [topic](const std::string& word) {
    return is_filter(word) && mqtt::topic_matches(mqtt::split_shared(word).filter, topic);
  });
}

bool TraceSubjects::touches(std::string_view filter) const {
  return std::ranges::any_of(words_, [filter](const std::string& word) {
    return is_filter(word) &&
           mqtt::broker::filters_overlap(mqtt::split_shared(word).filter, mqtt::split_shared(filter).filter);
  });
}

bool TraceFilter::wants(Way way, const mqtt::PacketView& packet) {
  note_client(packet);
  // Asked in any case: it keeps what later packets need.
  const bool wanted = wants_packet(way, packet);
  return wanted || all_;
}

void TraceFilter::note_client(const mqtt::PacketView& packet) {
  if (const auto* connect = std::get_if<mqtt::ConnectView>(&packet))
    all_ = subjects_.has_client(connect->client_id);
  else if (const auto* connack = std::get_if<mqtt::ConnackView>(&packet))
    all_ = all_ || subjects_.has_client(
                       connack->properties.text(PropertyId::assigned_client_identifier).value_or(""));
}

bool TraceFilter::wants_packet(Way way, const mqtt::PacketView& packet) {
  switch (type_of(packet)) {
    case PacketType::connect: {
      const auto& will = std::get<mqtt::ConnectView>(packet).will;
      return will && subjects_.has_topic(will->topic);
    }
    case PacketType::publish: return wants_publish(way, std::get<mqtt::PublishView>(packet));
    // PUBREL goes the way of its message, the others come back.
    case PacketType::pubrel: return wants_ack(messages_[std::to_underlying(way)], packet);
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubcomp: return wants_ack(messages_[std::to_underlying(opposite(way))], packet);
    case PacketType::subscribe:
    case PacketType::unsubscribe: break;
    case PacketType::suback:
    case PacketType::unsuback: return wants_answer(id_of(packet));
    default: return false;
  }
  const auto& list = type_of(packet) == PacketType::subscribe
                         ? std::get<mqtt::SubscribeView>(packet).subscriptions
                         : std::get<mqtt::UnsubscribeView>(packet).filters;
  const bool wanted = std::ranges::any_of(
      list, [this](const mqtt::SubscriptionView& asked) { return subjects_.touches(asked.filter); });
  if (wanted) requests_.insert(id_of(packet));
  return wanted;
}

bool TraceFilter::wants_publish(Way way, const mqtt::PublishView& publish) {
  std::string_view topic = publish.topic;
  aliased_topic_ = {};
  if (const auto alias = publish.properties.number(PropertyId::topic_alias)) {
    std::string& known = aliases_[std::to_underlying(way)][static_cast<std::uint16_t>(*alias)];
    if (!topic.empty()) known = topic;
    topic = aliased_topic_ = known;
  }
  if (topic.empty() || !subjects_.has_topic(topic)) return false;
  if (publish.qos > mqtt::QoS::at_most_once) messages_[std::to_underlying(way)].insert(publish.packet_id);
  return true;
}

bool TraceFilter::wants_ack(Ids& messages, const mqtt::PacketView& packet) {
  const auto found = messages.find(id_of(packet));
  if (found == messages.end()) return false;
  if (ends_flow(packet)) messages.erase(found);
  return true;
}

bool TraceFilter::wants_answer(mqtt::PacketId id) { return requests_.erase(id) > 0; }

void PacketTrace::on_packet_sent(const mqtt::PacketView& packet) {
  if (const auto* connack = std::get_if<mqtt::ConnackView>(&packet))
    if (const auto assigned = connack->properties.text(PropertyId::assigned_client_identifier))
      client_id_ = *assigned;
  write(Way::to_client, packet);
}

void PacketTrace::on_packet_received(const mqtt::PacketView& packet) {
  if (const auto* connect = std::get_if<mqtt::ConnectView>(&packet)) {
    version_ = connect->version;
    client_id_ = connect->client_id;
  }
  write(Way::from_client, packet);
}

void PacketTrace::write(Way way, const mqtt::PacketView& packet) {
  const bool traced = filter_.wants(way, packet);
  if (!traced && !diag_.shows(Severity::debug)) return;  // any more
  const char direction = way == Way::to_client ? '>' : '<';
  const std::string name = client_id_.empty() ? std::string{connection_.address()} : in_quotes(client_id_);
  std::string line = fmt::format("{} {} ", name, direction);
  mqtt::append_description(line, packet, version_, {.topic = filter_.aliased_topic()});
  if (!traced) return diag_.debug(line);
  diag_.event(Severity::info, "packet", line, [&](JsonWriter& json) {
    json.field("client_id", client_id_);
    json.field("address", connection_.address());
    json.field("direction", way == Way::to_client ? "to_client" : "from_client");
  });
}

}  // namespace mq
