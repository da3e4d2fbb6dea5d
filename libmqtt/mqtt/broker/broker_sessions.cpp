// What is kept of clients while they are away, and their wills.
#include <algorithm>
#include <chrono>
#include <utility>

#include <mqtt/broker/broker_state.hpp>

namespace mqtt::broker {
namespace {

using std::chrono::seconds;

}  // namespace

/// DISCONNECT may shorten or lengthen what CONNECT said (3.14.2.2.2).
void Broker::State::on_disconnect(Connection& connection, const DisconnectView& disconnect) {
  if (!connection.session_) return;
  Session& session = *connection.session_;
  const auto asked = disconnect.properties.number(PropertyId::session_expiry_interval);
  if (!asked) return;
  session.expiry_interval = std::min(*asked, config.limits.session_expiry_maximum);
}

/// The client's connection is over: its Will and its session have their time (3.1.2.5, 3.1.2.11.2).
void Broker::State::begin_absence(Session& session, bool will_is_due) {
  if (!will_is_due) withdraw_will(session);
  const std::uint32_t delay = session.will ? std::min(session.will->delay, session.expiry_interval) : 0;
  if (session.will && delay > 0) session.absence.make().will_at = now + seconds{delay};
  if (session.will && delay == 0) publish_will(session);
  if (session.expiry_interval == 0) return end_session(session);
  if (session.expiry_interval != never_expires)
    session.absence.make().ends_at = now + seconds{session.expiry_interval};
  tell(session);
  arm(session);
}

/// The client sees its connection close, and then no broker may publish it any more [MQTT-3.14.4-3].
void Broker::State::withdraw_will(Session& session) {
  if (session.will && session.told) will_withdrawn = true;
  session.will.reset();
}

void Broker::State::arm(Session& session) {
  const Deadline tell_at = session.drops ? session.drops->tell_at : Deadline{};
  session_timers.set(session, earlier(earlier(session.absence->will_at, session.absence->ends_at),
                                      earlier(session.behind->stops_at, tell_at)));
}

void Broker::State::on_session_time(Session& session) {
  const auto is_due = [this](const Deadline& when) { return when && *when <= now; };
  const bool will_is_due = is_due(session.absence->will_at);
  if (will_is_due) publish_will(session);
  if (is_due(session.absence->ends_at)) {
    ++counters.sessions_expired;
    return end_session(session);
  }
  if (will_is_due) tell(session);
  if (is_due(session.behind->stops_at)) on_stopped(session);
  if (session.drops && is_due(session.drops->tell_at)) {
    session.drops->tell_at.reset();
    tell_drops(session);
  }
  arm(session);
}

void Broker::State::publish_will(Session& session) {
  if (session.absence) session.absence.make().will_at.reset();
  const std::unique_ptr<Will> will = std::exchange(session.will, nullptr);
  PublishView publish;
  publish.topic = will->message->topic();
  publish.qos = will->message->qos();
  publish.retain = will->retain;
  publish.properties = will->message->properties();
  publish.payload = will->message->payload();
  // It was allowed at CONNECT; the rules may have changed since.
  if (services.access.find_publish_fault(session.identity, publish.topic))
    return drop(DropReason::publish_refused);
  Incoming incoming{.publish = publish, .publisher = session.id};
  // Its Message Expiry Interval runs from its publication (3.1.3.2.4).
  if (will->expiry) incoming.expires = now + seconds{*will->expiry};
  if (publish.retain && config.retain_available) retain(incoming);
  route(incoming);
}

/// Nobody is connected to it any more.
void Broker::State::end_session(Session& session) {
  if (session.will) publish_will(session);
  note_gone(session);
  leave_groups(session, session.subscriptions->positions, Leaving::for_good);
  const auto subscriptions = std::exchange(session.subscriptions, {});
  for (const TopicTree::Position position : subscriptions->positions) topics.remove(position, session.id);
  topics_weight -= subscriptions->weight;
  in_flight_bytes -= session.in_flight->counted;
  session.in_flight.reset();
  while (!session.queue.empty()) {
    Delivery delivery = dequeue(session);
    give_up(delivery);
    drop(session, DropReason::session_ended);
  }
  tell_drops(session);
  session_timers.cancel(session);
  if (session.told) services.store.on_session_ended(session.id);
  services.events.on_session_ended(session.client_id());
  sessions.remove(session);
}

}  // namespace mqtt::broker
