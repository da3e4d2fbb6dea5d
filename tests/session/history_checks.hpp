#pragma once
#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <mqtt/session/session_handler.hpp>
#include <mqtt/util/text.hpp>

namespace mqtt::test {

/// The first thing that went wrong in a history.
class Fault {
 public:
  void found(std::string text) {
    if (text_.empty()) text_ = std::move(text);
  }
  [[nodiscard]] bool none() const { return text_.empty(); }
  /// Empty if nothing went wrong.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

struct Message {
  QoS qos = QoS::at_most_once;
  std::string topic;
  std::string payload;
  unsigned received = 0;
  bool published = false;
  bool refused = false;  // by an error code of the receiver's: may come again
};

/// One direction: what was published, what came, in which order.
struct Flow {
  std::vector<Message> messages;
  std::size_t last_first_qos_0 = 0;  // index + 1 of the latest first delivery
  std::size_t last_first = 0;        // the same for QoS 1 and 2
};

/// A payload begins with the message's number in its flow.
inline std::size_t number_of(const PublishView& publish) {
  const std::string_view text = as_text(publish.payload);
  return parse_number<std::size_t>(text.substr(0, text.find(' '))).value_or(0);
}

/// Notes that `publish` came and judges it. `may_repeat`: the server forgets sessions. Returns the
/// message's number, or nothing if it cannot be told.
inline std::optional<std::size_t> check_delivery(Flow& flow, const PublishView& publish, bool may_repeat,
                                                 Fault& fault) {
  const auto reject = [&fault](std::string text) {
    fault.found(std::move(text));
    return std::nullopt;
  };
  const std::size_t number = number_of(publish);
  if (number >= flow.messages.size()) return reject("a message that nobody published");
  Message& message = flow.messages[number];
  if (as_text(publish.payload) != message.payload || publish.topic != message.topic ||
      publish.qos != message.qos)
    return reject(fmt::format("message {} came changed", number));
  std::size_t& last = message.qos == QoS::at_most_once ? flow.last_first_qos_0 : flow.last_first;
  if (message.received == 0 && number < last)
    fault.found(fmt::format("message {} came after {}", number, last - 1));
  if (message.received == 0) last = number + 1;
  if (message.received > 0 && message.qos != QoS::at_least_once && !message.refused && !may_repeat)
    fault.found(fmt::format("message {} of QoS {} came twice", number, to_number(message.qos)));
  ++message.received;
  return number;
}

/// At the end of a history.
inline void check_all_arrived(const Flow& flow, std::string_view where, Fault& fault) {
  for (std::size_t i = 0; i < flow.messages.size(); ++i) {
    const Message& message = flow.messages[i];
    if (message.qos == QoS::at_most_once || (message.received > 0 && message.published)) continue;
    fault.found(fmt::format("message {} {} of QoS {} was received {} times, and {}", i, where,
                            to_number(message.qos), message.received,
                            message.published ? "reported as published" : "never reported"));
  }
}

/// Watches the packets of one side for what the other cannot see or does not check.
class Watcher final : public PacketObserver {
 public:
  explicit Watcher(Fault& fault) : fault_{fault} {}

  void completed(PacketId id) {
    open_.erase(id);
    sent_now_.erase(id);
    std::erase(to_release_, id);
  }
  void forget() {
    open_.clear();
    to_release_.clear();
  }

  void on_packet_sent(const PacketView& packet) override {
    if (const auto* connack = std::get_if<ConnackView>(&packet)) connection_begins(*connack);
    if (const auto* publish = std::get_if<PublishView>(&packet)) sent(*publish);
    if (const auto* puback = std::get_if<PubackView>(&packet))
      acknowledged(puback->packet_id, QoS::at_least_once);
    if (const auto* pubrec = std::get_if<PubrecView>(&packet))
      acknowledged(pubrec->packet_id, QoS::exactly_once);
    if (const auto* pubrel = std::get_if<PubrelView>(&packet)) released(*pubrel);
  }
  void on_packet_received(const PacketView& packet) override {
    if (const auto* connack = std::get_if<ConnackView>(&packet)) connection_begins(*connack);
    if (const auto* publish = std::get_if<PublishView>(&packet); publish && publish->qos != QoS::at_most_once)
      arrived_.emplace_back(publish->packet_id, publish->qos);
    if (const auto* pubrec = std::get_if<PubrecView>(&packet); pubrec && !is_error(pubrec->reason)) {
      to_release_.push_back(pubrec->packet_id);
      releases_due_.push_back(pubrec->packet_id);
    }
  }

 private:
  void connection_begins(const ConnackView& connack) {
    sent_now_.clear();
    arrived_.clear();
    if (!connack.session_present) forget();
    releases_due_.assign(to_release_.begin(), to_release_.end());
  }
  void sent(const PublishView& publish) {
    if (publish.qos == QoS::at_most_once) return;
    const PacketId id = publish.packet_id;
    const std::string payload = to_string(publish.payload);
    if (!sent_now_.insert(id).second) fault_.found(fmt::format("id {} sent twice on one connection", id));
    if (!publish.dup && open_.contains(id) && open_[id] != payload)
      fault_.found(fmt::format("id {} taken while in flight", id));
    if (!publish.dup && open_.contains(id)) fault_.found(fmt::format("id {} sent again without DUP", id));
    if (publish.dup && (!open_.contains(id) || open_[id] != payload))
      fault_.found(fmt::format("DUP of id {}, which holds another message", id));
    if (std::ranges::find(to_release_, id) != to_release_.end())
      fault_.found(fmt::format("PUBLISH {} after PUBREL", id));
    open_[id] = payload;
  }
  /// [MQTT-4.6.0-2] [MQTT-4.6.0-3]
  void acknowledged(PacketId id, QoS qos) {
    if (arrived_.empty() || arrived_.front() != std::pair{id, qos})
      return fault_.found(fmt::format("acknowledgement of id {} is not in the order of arrival", id));
    arrived_.pop_front();
  }
  /// [MQTT-4.6.0-4]
  void released(const PubrelView& pubrel) {
    if (releases_due_.empty() || releases_due_.front() != pubrel.packet_id)
      return fault_.found(fmt::format("PUBREL {} is not in the order of PUBREC", pubrel.packet_id));
    releases_due_.pop_front();
  }

  Fault& fault_;
  std::map<PacketId, std::string> open_;
  std::set<PacketId> sent_now_;
  std::deque<std::pair<PacketId, QoS>> arrived_;
  std::deque<PacketId> to_release_;    // PUBREC came, PUBCOMP did not; outlives connections
  std::deque<PacketId> releases_due_;  // PUBRELs to be sent on this connection
};

}  // namespace mqtt::test
