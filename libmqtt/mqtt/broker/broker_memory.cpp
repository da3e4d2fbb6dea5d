// One account of all that clients make the broker keep, beside subscriptions and retained messages.
//
// What clients that do not read, or do not send on, can make it keep fills half of it at most: queues of
// those who are away or have stopped, Wills, and half-received packets. From there on the backlogs of
// connections are short, long queues make publishers wait, and the other half is for those who move. When
// that is full too, messages that would have to wait are dropped, and a connection is given what it has
// nothing else to write for: nobody who keeps up waits for somebody who does not.
#include <algorithm>

#include <mqtt/broker/broker_state.hpp>

namespace mqtt::broker {
namespace {

/// What a connection's output may grow to while memory is short.
constexpr std::size_t short_backlog = 16 * 1024;

/// The start of a packet that nobody is cut off for: what one read of the transport may leave, mostly.
constexpr std::size_t small_input = 16 * 1024;

}  // namespace

/// Messages count once, retained ones not at all here: they have a bound of their own.
std::size_t Broker::State::memory() const {
  return message_account->bytes - retained.message_bytes() + queue_places_bytes + in_flight_bytes +
         input_bytes + pool.waiting_bytes();
}

std::size_t Broker::State::backlog_max() const {
  if (memory_is_full()) return 1;
  return memory_is_short() ? std::min(config.limits.write_backlog, short_backlog)
                           : config.limits.write_backlog;
}

/// What a closing connection holds goes with it when the turn ends.
void Broker::State::recount(Connection& connection) {
  const std::size_t held = connection.wants_close() ? 0 : connection.link_.held_input();
  input_bytes += held;
  input_bytes -= connection.counted_input_;
  connection.counted_input_ = static_cast<std::uint32_t>(held);
}

void Broker::State::recount(Session& session) {
  std::size_t bytes = 0;
  if (session.connection) bytes += session.connection->link_.in_flight_memory();
  if (session.absence->state) bytes += session.absence->state->outgoing.memory_bytes();
  bytes += session.in_flight->shared.size() * sizeof(Delivery);
  in_flight_bytes += bytes;
  in_flight_bytes -= session.in_flight->counted;
  if (session.in_flight || bytes > 0) session.in_flight.make().counted = bytes;
}

/// After octets came in on `connection`. Two half-received packets must not wait for each other's room, so
/// the largest goes, whoever sends it: many small ones outlive a few that fill everything.
void Broker::State::bound_input(const Connection& connection) {
  while (connection.counted_input_ > small_input &&
         (input_bytes > config.limits.memory / 2 || memory_is_full())) {
    const auto size = [](const auto& each) { return each->counted_input_; };
    Connection& largest = **std::ranges::max_element(connections, {}, size);
    ++counters.inputs_cut_off;
    want_close(largest, ReasonCode::quota_exceeded);
    settle(largest);
  }
}

}  // namespace mqtt::broker
