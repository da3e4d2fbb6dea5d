// One account of all that clients make the broker keep, beside subscriptions and retained messages.
//
// What waits for clients that are away or have stopped reading, and QoS 0 for those that are behind, comes to
// half of it at most. Somewhat above that it is short, so that such queues alone change nothing for others:
// the backlogs of connections and what is in flight to one client are small then, long queues make publishers
// wait, and no Will comes in. The last quarter is for those who move: not for other QoS 0 that waits, nor for
// what a reader was waited for until it stopped, and for little of half-received packets and topics of
// aliases. When that is full as well, messages that would have to wait are dropped, and a connection is given
// what it has nothing else to write for: nobody who keeps up waits for somebody who does not.
#include <algorithm>

#include <mqtt/broker/broker_state.hpp>

namespace mqtt::broker {
namespace {

/// What a connection's output may grow to while memory is short.
constexpr std::size_t short_backlog = 16 * 1024;

/// The same for messages in flight, and one message more.
constexpr std::size_t short_in_flight = 16 * 1024;

/// The start of a packet that nobody is cut off for: what one read of the transport may leave, mostly.
constexpr std::size_t small_input = 16 * 1024;

}  // namespace

/// Messages count once, retained ones not at all here: they have a bound of their own.
std::size_t Broker::State::memory() const {
  return message_account->bytes - retained.message_bytes() + queue_places_bytes + in_flight_bytes +
         input_bytes + login_bytes + pool.waiting_bytes();
}

bool Broker::State::memory_is_short() const { return memory() >= config.limits.memory / 8 * 5; }

bool Broker::State::memory_is_full() const { return memory() >= config.limits.memory; }

std::size_t Broker::State::backlog_max() const {
  if (memory_is_full()) return 1;
  return memory_is_short() ? std::min(config.limits.write_backlog, short_backlog)
                           : config.limits.write_backlog;
}

/// Of messages in flight to one client: it may never acknowledge them.
std::size_t Broker::State::in_flight_max() const {
  if (memory_is_full()) return 1;
  return memory_is_short() ? std::min(config.limits.queued_bytes, short_in_flight)
                           : config.limits.queued_bytes;
}

/// What a closing connection holds goes with it when the turn ends.
void Broker::State::recount(Connection& connection) {
  const ServerSession& link = connection.link_;
  const std::size_t held = connection.wants_close() ? 0 : link.held_input() + link.alias_bytes();
  input_bytes += held;
  input_bytes -= connection.counted_input_;
  connection.counted_input_ = static_cast<std::uint32_t>(held);
}

void Broker::State::recount(Session& session) {
  std::size_t bytes = 0;
  if (session.connection) bytes += session.connection->link_.in_flight_memory();
  if (session.absence->state) bytes += session.absence->state->memory_bytes();
  bytes += session.in_flight->shared.size() * sizeof(Delivery);
  in_flight_bytes += bytes;
  in_flight_bytes -= session.in_flight->counted;
  if (session.in_flight || bytes > 0) session.in_flight.make().counted = bytes;
}

bool Broker::State::input_is_too_much() const {
  const std::size_t all = config.limits.memory;
  return input_bytes > all / 2 || memory_is_full() || (input_bytes > all / 8 && memory() >= all / 4 * 3);
}

/// After bytes came in on `connection`. Two half-received packets must not wait for each other's room, so
/// the largest goes, whoever sends it: many small ones outlive a few that fill everything.
void Broker::State::bound_input(const Connection& connection) {
  while (connection.counted_input_ > small_input && input_is_too_much()) {
    const auto size = [](const auto& each) { return each->counted_input_; };
    Connection& largest = **std::ranges::max_element(connections, {}, size);
    ++counters.inputs_cut_off;
    want_close(largest, ReasonCode::quota_exceeded);
    settle(largest);
  }
}

}  // namespace mqtt::broker
