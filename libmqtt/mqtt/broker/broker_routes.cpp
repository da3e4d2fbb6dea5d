// Routes: what others may route without asking for each message.
#include <algorithm>
#include <array>

#include <mqtt/broker/broker_state.hpp>
#include <mqtt/codec/topic.hpp>

namespace mqtt::broker {
namespace {

/// Whose connection ends with more subscriptions than that ends all routes, instead of looking for its own.
constexpr std::size_t looked_up_max = 16;

/// What is told of as sent.
constexpr auto of_sent =
    std::array{&RoutedCounts::sent, &RoutedCounts::sent_bytes, &RoutedCounts::sent_payload_bytes};

}  // namespace

/// Nothing where a message needs more than to be handed on: to be told of, to wait, to be dropped and
/// counted, or a choice among receivers. Then each of them is routed here.
std::optional<Route> Broker::State::find_route(Connection& publisher, std::string_view topic) {
  if (config.slow_consumer != SlowConsumer::drop || services.events.wants_messages()) return std::nullopt;
  if (memory_is_short()) return std::nullopt;  // what waits with others is in no account
  if (!may_skip(publisher) || find_topic_name_error(topic) || topic.starts_with('$')) return std::nullopt;
  const Session& session = *publisher.session_;
  PublishView publish;
  publish.topic = topic;
  if (find_publish_fault(session, publish)) return std::nullopt;
  const Incoming incoming{.publish = publish, .publisher = session.id};
  find_receivers(incoming);
  if (!group_matches.empty()) return std::nullopt;
  Route route{{}, session.version, config.limits.packet_size, {}};
  for (const Match& match : std::span{matches}.first(match_count)) {
    if (!match.identifiers.empty() || !can_be_reached(*match.session, topic)) return std::nullopt;
    Connection& receiver = *match.session->connection;
    route.receivers.push_back({&receiver.owner_, match.session->version});
    route.packet_size_max = std::min(route.packet_size_max, receiver.link_.limits().maximum_packet_size);
  }
  route.valid = routes.validity_of(topic);
  return route;
}

/// Nothing that it has sent waits here, and nobody wants to see its packets.
bool Broker::State::may_skip(const Connection& publisher) const {
  return publisher.session_ && publisher.link_.connected() && !publisher.link_.wants_close() &&
         publisher.link_.wants_input() && publisher.link_.held_input() == 0 &&
         publisher.waiting_->readers.empty() && !watched.contains(&publisher);
}

/// A message that goes there by a route overtakes none that is here.
bool Broker::State::can_be_reached(const Session& session, std::string_view topic) const {
  return session.connection && session.connection->link_.connected() &&
         !session.connection->link_.wants_close() && session.connection->output().empty() &&
         session.queue.empty() && session.replays.empty() && session.reading == Reading::keeps_up &&
         !watched.contains(session.connection) && services.access.may_receive(session.identity, topic);
}

/// Its client is not to be reached any more, or what it may receive has changed.
void Broker::State::end_routes_to(const Session& session) {
  if (routes.empty()) return;
  const auto& positions = session.subscriptions->positions;
  if (positions.size() > looked_up_max) return routes.end_all();
  for (const TopicTree::Position position : positions) routes.end_matching(topics.filter_of(position));
}

void Broker::State::note_routed(RoutedCounts counts) {
  // A counter does not go back: what was not sent after all is left out of what is told later.
  for (const auto sent : of_sent) {
    const std::uint64_t excess = std::min(counts.*sent, dropped_routed.*sent);
    dropped_routed.*sent -= excess;
    counts.*sent -= excess;
  }
  counters.packets_received += counts.received;
  counters.messages_received += counts.received;
  counters.messages_routed += counts.received;
  counters.bytes_received += counts.received_bytes;
  counters.payload_bytes_received += counts.received_payload_bytes;
  counters.packets_sent += counts.sent;
  counters.messages_sent += counts.sent;
  counters.bytes_sent += counts.sent_bytes;
  counters.payload_bytes_sent += counts.sent_payload_bytes;
}

void Broker::State::note_dropped(Session* session, const RoutedCounts& dropped) {
  for (const auto sent : of_sent) dropped_routed.*sent += dropped.*sent;
  if (session) return drop(*session, DropReason::memory_full, dropped.sent);
  drop(DropReason::memory_full, dropped.sent);
}

}  // namespace mqtt::broker
