// Readers that fall behind, and the publishers that wait for them.
//
// A publisher waits by getting no acknowledgement: a client has only so many messages unacknowledged, and
// goes on reading and acknowledging what it receives itself, so two clients that publish to each other
// cannot block each other. Only one that sends on all the same is no longer read from, unless it is a
// reader that is behind itself: its own acknowledgements would go unread, others wait for them, and they
// might be those it waits for. What such clients send in spite of all is bounded by Limits::memory.
#include <algorithm>
#include <utility>

#include <mqtt/broker/broker_state.hpp>

namespace mqtt::broker {
namespace {

/// While memory is short, a queue of fewer messages and bytes than these is not what fills it.
constexpr std::size_t long_when_memory_is_short = 64;
constexpr std::size_t large_when_memory_is_short = 16 * 1024;

/// How far, at most, a queue may go beyond its bound for what was under way: a window of large messages.
/// Limits::memory has room for several such queues.
constexpr std::size_t excess_max_bytes = 64 * 1024 * 1024;

/// For how many times slow_consumer_grace in a row publishers wait for a reader that makes some progress,
/// but does not catch up.
constexpr int patience = 12;

}  // namespace

bool Broker::State::is_long(const Session& session) const {
  const Limits& limits = config.limits;
  return session.queue.size() >= limits.queued_messages / 2 ||
         session.queue.bytes() >= limits.queued_bytes / 2 ||
         (memory_is_short() && (session.queue.size() >= long_when_memory_is_short ||
                                session.queue.bytes() >= large_when_memory_is_short));
}

bool Broker::State::is_short(const Session& session) const {
  return session.queue.size() <= config.limits.queued_messages / 4 &&
         session.queue.bytes() <= config.limits.queued_bytes / 4;
}

/// Whether publishers wait for it when its queue is full.
bool Broker::State::reads(const Session& session) {
  const bool here = session.connection && session.connection->link_.connected();
  return (here && session.reading != Reading::stopped) || is_expected(session);
}

/// Not here yet, but it is to be waited for as if it were: it was when the broker ended, and its publishers
/// may be back before it.
bool Broker::State::is_expected(const Session& session) {
  return !session.connection && (session.reading == Reading::awaited || session.reading == Reading::behind);
}

/// Of a client that was connected when the broker ended: it has its time to come back.
void Broker::State::await(Session& session) {
  session.reading = Reading::awaited;
  session.behind.make() = {.stops_at = now + config.return_grace, .since = now};
}

/// It has come back, or for the first time.
void Broker::State::note_return(Session& session) {
  if (session.reading == Reading::awaited) return note_gone(session);
  if (session.reading != Reading::behind) return;
  session.behind.make() = {.stops_at = {}, .since = now};
  note_sign_of_life(session);
}

/// Whether its publisher waits for a reader that is behind.
bool Broker::State::is_waited_for(const Delivery& delivery) const {
  return delivery.qos > QoS::at_most_once || config.slow_consumer == SlowConsumer::stall;
}

/// Beyond the bound of its queue a client gets what it is waited for: a publisher that fills it waits
/// from then on, but has more under way, and one message may be larger than the bound.
bool Broker::State::may_exceed(const Session& session, const Delivery& delivery) const {
  return is_waited_for(delivery) && reads(session) &&
         session.queue.bytes() < config.limits.queued_bytes + excess_max_bytes;
}

void Broker::State::note_queued(Session& session, Connection* publisher, QoS qos) {
  if (session.reading == Reading::awaited && is_long(session)) session.reading = Reading::behind;
  if (session.reading == Reading::keeps_up && is_long(session)) {
    session.reading = Reading::behind;
    session.behind.make().since = now;
    note_sign_of_life(session);
    arm(session);
    note_behind(session);
  }
  if (session.reading != Reading::behind || !publisher) return;
  if (qos == QoS::at_most_once && config.slow_consumer != SlowConsumer::stall) return;
  make_wait(*publisher, session);
  // QoS 0 waits for no answer; and what a window lets through may be more than there is room for.
  if (qos == QoS::at_most_once || session.queue.bytes() > config.limits.queued_bytes) pause(*publisher);
}

void Broker::State::make_wait(Connection& publisher, const Session& reader) {
  Connection::Waiting& waits = publisher.waiting_.make();
  std::vector<SubscriberId>& readers = waits.readers;
  if (readers.empty()) waiting[waits.watched = reader.id].push_back(&publisher);
  const auto place = std::ranges::lower_bound(readers, reader.id);
  if (place == readers.end() || *place != reader.id) readers.insert(place, reader.id);
}

void Broker::State::pause(Connection& publisher) {
  if (publisher.session_->reading != Reading::behind) publisher.link_.pause_input();
}

/// Answers a message, later if its publisher has to wait. Other codes than success need not be
/// remembered: they leave in their order behind those that are held back.
void Broker::State::acknowledge(Connection& connection, AckToken token, ReasonCode reason) {
  if (connection.waiting_->readers.empty() || !token.needs_ack() || reason != ReasonCode::success) {
    (void)connection.link_.ack(now, token, reason);  // fails only on a connection that is closing
    return;
  }
  std::vector<AckToken>& held_back = connection.waiting_.make().unacknowledged;
  held_back.push_back(token);
  // More than Receive Maximum: never a client of 5.0 that keeps to it.
  if (held_back.size() > config.limits.receive_maximum) pause(connection);
}

/// Its grace begins anew, but others wait for it only so long.
void Broker::State::note_sign_of_life(Session& session) {
  if (config.slow_consumer == SlowConsumer::stall) return;
  const Duration grace = config.slow_consumer_grace;
  session.behind.make().stops_at = std::min(now + grace, session.behind->since + patience * grace);
}

/// The client has taken something. One that had stopped has to catch up before it is waited for again:
/// otherwise a reader that takes a message now and then would hold up everybody.
void Broker::State::note_progress(Session& session) {
  if (session.reading == Reading::keeps_up) return;
  if (is_short(session)) return note_gone(session);
  if (session.reading == Reading::stopped) return;
  note_sign_of_life(session);
  if (!session.timer.armed()) arm(session);
  note_behind(session);
}

/// It is to be read from, if it is not.
void Broker::State::note_behind(const Session& session) {
  if (session.connection && !session.connection->link_.wants_input()) changed_readers.push_back(session.id);
}

/// Nobody has to wait for it any more: it has caught up, given up what waited for it, or is not there.
void Broker::State::note_gone(Session& session) {
  if (std::exchange(session.reading, Reading::keeps_up) == Reading::behind)
    changed_readers.push_back(session.id);
  session.behind.reset();
}

/// What it was waited for it may not keep beyond its bounds, nor of the last quarter of all memory.
void Broker::State::on_stopped(Session& session) {
  session.behind.reset();
  session.reading = Reading::stopped;
  while (session.queue.size() > config.limits.queued_messages ||
         session.queue.bytes() > config.limits.queued_bytes)
    drop_newest(session, DropReason::queue_full);
  while (!session.queue.empty() && memory() > config.limits.memory / 4 * 3)
    drop_newest(session, DropReason::memory_full);
  changed_readers.push_back(session.id);
  if (!session.connection) session.reading = Reading::keeps_up;  // it has not come back: it is away
  if (config.slow_consumer == SlowConsumer::disconnect && session.connection)
    want_close(*session.connection, ReasonCode::quota_exceeded);
}

void Broker::State::drop_newest(Session& session, DropReason reason) {
  Delivery delivery = session.queue.pop_newest();
  uncount(delivery);
  give_up(delivery);
  drop(session, reason);
}

bool Broker::State::is_behind(SubscriberId id) const {
  const Session* const reader = sessions.find(id);
  return reader && reader->reading == Reading::behind;
}

/// For another one of its readers, now that the one in whose list it stood has changed.
bool Broker::State::still_waits(Connection& connection) {
  Connection::Waiting& waits = connection.waiting_.make();
  while (!waits.readers.empty() && !is_behind(waits.readers.back())) waits.readers.pop_back();
  if (waits.readers.empty()) return false;
  waits.watched = waits.readers.back();
  waiting[waits.watched].push_back(&connection);
  return true;
}

void Broker::State::stop_waiting(Connection& connection) {
  if (connection.waiting_->readers.empty()) return;
  const auto list = waiting.find(connection.waiting_->watched);
  if (list == waiting.end()) return;
  std::erase(list->second, &connection);
  if (list->second.empty()) waiting.erase(list);
}

/// What this costs goes by the publishers that stand in the lists of the readers that have changed: thousands
/// may wait for thousands.
void Broker::State::release_publishers() {
  std::vector<Connection*> free;
  std::vector<Connection*> behind;
  for (const SubscriberId id : std::exchange(changed_readers, {})) {
    if (is_behind(id)) {
      Connection* const connection = sessions.find(id)->connection;
      if (connection && !connection->waiting_->readers.empty()) behind.push_back(connection);
      continue;
    }
    const auto list = waiting.extract(id);
    if (list.empty()) continue;
    for (Connection* const connection : list.mapped())
      if (!still_waits(*connection)) free.push_back(connection);
  }
  for (Connection* const connection : free) {
    release(*connection);
    read_on(*connection);
  }
  for (Connection* const connection : behind)
    if (connection->session_) read_on(*connection);
}

void Broker::State::read_on(Connection& connection) {
  connection.link_.resume_input(now, connection);
  note_changed(connection);
  mark_ready(connection);
}

/// Answers everything that was held back: on a connection that has ended, so that the session knows what
/// a client that sends it again is to be told.
void Broker::State::release(Connection& connection) {
  const auto waited = std::exchange(connection.waiting_, {});
  for (const AckToken& token : waited->unacknowledged) (void)connection.link_.ack(now, token);
}

}  // namespace mqtt::broker
