#include <mqtt/inspect/exchange.hpp>

#include <algorithm>
#include <functional>

namespace mqtt {
namespace {

constexpr std::size_t buckets = 512;
/// Of each of the other tables, which are begun anew when they are full.
constexpr std::size_t entries_max = 20'000;
constexpr std::size_t properties_bytes_max = 1024;

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t mix = (a ^ (b + 0x9E37'79B9'7F4A'7C15 + (a << 6) + (a >> 2))) * 0xFF51'AFD7'ED55'8CCD;
  return mix ^ mix >> 32;
}

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text); }
std::uint64_t topic_key(std::string_view server, std::string_view topic) {
  return mixed(hash_of(server), hash_of(topic));
}

template <class Table>
void keep_bounded(Table& table) {
  if (table.size() >= entries_max) table.clear();
}

const PublishView* publish_of(const FlowPacket& packet) {
  return packet.packet ? std::get_if<PublishView>(&*packet.packet) : nullptr;
}

void set_properties(Publication& publication, Bytes encoded) {
  publication.properties_known = encoded.size() <= properties_bytes_max;
  if (publication.properties_known) publication.properties = to_string(encoded);
}

}  // namespace

void Exchange::find_messages(std::uint64_t key) {
  if (table_.empty()) return;
  const auto begin = table_.begin() + static_cast<std::ptrdiff_t>(key % buckets * Origins::most);
  std::for_each_n(begin, Origins::most, [&](const Publication& each) {
    if (each.key == key) found_.messages[found_.count++] = &each;
  });
}

/// With several messages that are alike nobody can tell which of them this is.
void Exchange::follow_order(std::uint64_t connection, std::uint64_t topic, const FlowPacket& packet) {
  const auto& p = std::get<PublishView>(*packet.packet);
  if (found_.count != 1 || p.dup || p.retain) return;
  const Publication& message = *found_.messages[0];
  const std::uint64_t qos = std::uint64_t{to_number(message.qos)} * 4 + to_number(p.qos);
  keep_bounded(delivered_);
  std::uint64_t& last = delivered_[mixed(mixed(connection, message.connection), mixed(topic, qos))];
  found_.overtaken = message.order < last;
  last = std::max(last, message.order);
}

const Origins* Exchange::origins(std::uint64_t connection, std::string_view server,
                                 const FlowPacket& packet) {
  const PublishView* p = publish_of(packet);
  if (!p || packet.topic.empty()) return nullptr;
  if (packet.sender == Sender::client && response_topics_.empty()) return nullptr;
  if (table_.empty() && retained_.empty() && withdrawn_.empty()) return nullptr;
  found_ = {};
  const std::uint64_t topic = topic_key(server, packet.topic);
  if (packet.sender == Sender::client) {
    const auto response = response_topics_.find(topic);
    found_.is_response = response != response_topics_.end() && response->second;
    return found_.is_response ? &found_ : nullptr;
  }
  const std::uint64_t key = mixed(topic, payload_digest(p->payload));
  find_messages(key);
  follow_order(connection, topic, packet);
  found_.key = key;
  found_.connection = connection;
  found_.withdrawn_will = found_.count == 0 && withdrawn_.contains(key);
  if (const auto retained = retained_.find(topic); retained != retained_.end())
    found_.retained = &retained->second;
  return found_.count > 0 || found_.withdrawn_will || found_.retained ? &found_ : nullptr;
}

void Exchange::remember(Publication publication) {
  if (table_.empty()) return;
  const auto begin = table_.begin() + static_cast<std::ptrdiff_t>(publication.key % buckets * Origins::most);
  *std::ranges::min_element(begin, begin + Origins::most, {}, &Publication::order) = std::move(publication);
}

void Exchange::take_publish(std::uint64_t connection, std::string_view server, const FlowPacket& packet) {
  const auto& p = std::get<PublishView>(*packet.packet);
  ++order_;
  if (packet.topic.empty() || p.dup || (table_.empty() && !p.retain && wills_.empty() && withdrawn_.empty()))
    return;
  const std::uint64_t topic = topic_key(server, packet.topic);
  Publication publication{.key = mixed(topic, payload_digest(p.payload)),
                          .connection = connection,
                          .order = order_,
                          .time = packet.step.time,
                          .qos = p.qos,
                          .retain = p.retain,
                          .empty = p.payload.empty()};
  set_properties(publication, p.properties.encoded());
  if (const auto response = p.properties.text(PropertyId::response_topic)) {
    keep_bounded(response_topics_);
    const bool correlated = p.properties.find(PropertyId::correlation_data).has_value();
    bool& all = response_topics_.try_emplace(topic_key(server, *response), true).first->second;
    all = all && correlated;
  }
  withdrawn_.erase(publication.key);
  if (p.retain) {
    keep_bounded(retained_);
    retained_[topic] = publication;
  }
  remember(std::move(publication));
}

void Exchange::take_connect(std::uint64_t connection, std::string_view server, const ConnectView& connect) {
  if (!connect.will) return;
  keep_bounded(wills_);
  const std::uint64_t topic = topic_key(server, connect.will->topic);
  wills_[connection] = {topic, mixed(topic, payload_digest(connect.will->payload)), connect.will->qos,
                        connect.will->retain, to_string(connect.will->properties.encoded())};
}

void Exchange::take_in(std::uint64_t connection, std::string_view server, const FlowPacket& packet) {
  if (!packet.packet) return;
  if (packet.sender == Sender::client && publish_of(packet)) return take_publish(connection, server, packet);
  if (const auto* connect = std::get_if<ConnectView>(&*packet.packet))
    take_connect(connection, server, *connect);
  if (std::holds_alternative<SubscribeView>(*packet.packet) && table_.empty())
    table_.resize(buckets * Origins::most);
}

/// A Will that is not taken back may be published from here on; one that is, must not.
void Exchange::ended(std::uint64_t connection, const FlowState& state, TimePoint now) {
  const auto found = wills_.find(connection);
  if (found == wills_.end()) return;
  const Will will = std::move(found->second);
  wills_.erase(found);
  const auto& last_word = state.side(Sender::client).disconnect;
  if (last_word && last_word->reason == ReasonCode::normal_disconnection && state.all_seen()) {
    found_ = {};
    find_messages(will.key);
    keep_bounded(withdrawn_);
    if (found_.count == 0) withdrawn_.insert(will.key);
    return;
  }
  withdrawn_.erase(will.key);
  Publication publication{.key = will.key,
                          .connection = connection,
                          .order = ++order_,
                          .time = now,
                          .qos = will.qos,
                          .retain = will.retain,
                          .will = true};
  set_properties(publication, as_bytes(will.properties));
  // Whether and when it is published is not known, so what was retained is not, either.
  if (will.retain) retained_.erase(will.topic);
  remember(std::move(publication));
}

}  // namespace mqtt
