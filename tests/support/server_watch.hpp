#pragma once
#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include <mqtt/codec/packet.hpp>
#include <mqtt/session/limits.hpp>

namespace mqtt::test {

/// Looks over a client's shoulder for what no server may send on one connection, whatever the client
/// does. It is told of a packet of the client's when that is sent, so it never accuses too early.
class ServerWatch {
 public:
  void on_sent(const PacketView& packet) {
    if (const auto* connect = std::get_if<ConnectView>(&packet)) return on_connect(*connect);
    if (const auto* puback = std::get_if<PubackView>(&packet)) published_.erase(puback->packet_id);
    if (const auto* pubcomp = std::get_if<PubcompView>(&packet)) released_.erase(pubcomp->packet_id);
    if (const auto* pubrec = std::get_if<PubrecView>(&packet)) {
      // One for a message that was not sent holds nothing: the answer is that it is not found.
      const bool sent = published_.erase(pubrec->packet_id) > 0;
      if (sent && !is_error(pubrec->reason)) released_.insert(pubrec->packet_id);
    }
    if (const auto* publish = std::get_if<PublishView>(&packet))
      if (publish->qos != QoS::at_most_once) requests_.insert({type_of(packet), publish->packet_id});
    if (const auto* subscribe = std::get_if<SubscribeView>(&packet))
      requests_.insert({type_of(packet), subscribe->packet_id});
    if (const auto* unsubscribe = std::get_if<UnsubscribeView>(&packet))
      requests_.insert({type_of(packet), unsubscribe->packet_id});
  }

  /// What is wrong with it; empty: nothing.
  [[nodiscard]] std::string find_fault(const PacketView& packet, std::size_t size) {
    if (std::exchange(ended_, ends(packet))) return "a packet behind the last one";
    if (size > limits_.maximum_packet_size) return "a packet above Maximum Packet Size";
    const bool answers = std::holds_alternative<ConnackView>(packet);
    if (answers == accepted_) return answers ? "a second CONNACK" : before_connack(packet);
    accepted_ = true;
    if (const auto* publish = std::get_if<PublishView>(&packet)) return find_publish_fault(*publish);
    if (const auto* suback = std::get_if<SubackView>(&packet))
      return answer(PacketType::subscribe, suback->packet_id);
    if (const auto* unsuback = std::get_if<UnsubackView>(&packet))
      return answer(PacketType::unsubscribe, unsuback->packet_id);
    if (const auto* puback = std::get_if<PubackView>(&packet))
      return requests_.contains({PacketType::publish, puback->packet_id}) ? "" : "a PUBACK for nothing";
    return {};
  }

 private:
  void on_connect(const ConnectView& connect) {
    version_ = connect.version;
    limits_ = read_peer_limits(connect.properties);
  }

  [[nodiscard]] bool ends(const PacketView& packet) const {
    const auto* connack = std::get_if<ConnackView>(&packet);
    return std::holds_alternative<DisconnectView>(packet) || (connack && is_error(connack->reason));
  }

  [[nodiscard]] static std::string before_connack(const PacketView& packet) {
    return std::holds_alternative<AuthView>(packet) ? "" : "a packet before CONNACK";
  }

  [[nodiscard]] std::string answer(PacketType request, PacketId id) {
    const auto asked = requests_.find({request, id});
    if (asked == requests_.end()) return "an answer to no request";
    requests_.erase(asked);
    return {};
  }

  [[nodiscard]] std::string find_publish_fault(const PublishView& publish) {
    const auto alias = publish.properties.number_or(PropertyId::topic_alias, 0);
    if (alias > limits_.topic_alias_maximum) return "an alias above Topic Alias Maximum";
    if (alias != 0 && !publish.topic.empty()) aliases_.insert(alias);
    if (publish.topic.empty() && !aliases_.contains(alias)) return "an alias that was not set";
    if (publish.qos == QoS::at_most_once) return {};
    if (released_.contains(publish.packet_id)) return "a packet identifier that PUBREL holds";
    if (!published_.insert(publish.packet_id).second) return "a packet identifier in use";
    if (published_.size() + released_.size() > limits_.receive_maximum) return "more than Receive Maximum";
    return {};
  }

  Version version_ = Version::v5;
  PeerLimits limits_;
  bool accepted_ = false;
  bool ended_ = false;
  std::set<PacketId> published_;  // by the server, and not answered
  std::set<PacketId> released_;   // PUBREC was sent, PUBCOMP was not
  // A client may use an identifier again before it has heard the answer.
  std::multiset<std::pair<PacketType, PacketId>> requests_;
  std::set<std::uint32_t> aliases_;
};

}  // namespace mqtt::test
