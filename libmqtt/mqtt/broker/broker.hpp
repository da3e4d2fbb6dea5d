#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mqtt/broker/access.hpp>
#include <mqtt/broker/config.hpp>
#include <mqtt/broker/connection.hpp>
#include <mqtt/broker/events.hpp>
#include <mqtt/broker/route.hpp>
#include <mqtt/broker/store.hpp>
#include <mqtt/util/siphash.hpp>

namespace mqtt::broker {

/// What a Broker asks and tells. Not owned; all of it outlives the broker.
struct BrokerServices {
  Authenticator& authenticator;
  AccessControl& access;
  Store& store;
  BrokerEvents& events;
};

/// An MQTT server without I/O: routing, sessions, queues, retained messages, wills, expiry. Bytes and
/// times go in through its functions; bytes come out in each Connection's output(). One thread.
///
/// A turn: receive() for what the transports brought, on_time() when next_deadline() has come, then
/// commit(), and only then are outputs written: an acknowledgement leaves after the effect that it
/// acknowledges is in the store. on_written() and serviced() say what became of each output.
class Broker {
 public:
  /// Random, `secret` makes assigned client identifiers and Response Information unguessable, and keeps
  /// clients from choosing texts whose hashes collide.
  Broker(ChunkPool& pool, BrokerConfig config, BrokerServices services, SipKey secret);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  /// A transport was accepted. The Connection lives until close().
  [[nodiscard]] Connection& open(TimePoint now, ConnectionOwner& owner, ConnectionInfo info);
  void receive(TimePoint now, Connection& connection, Bytes bytes);
  /// So many bytes of its output() have left; null: of one that was closed.
  void note_sent(Connection* connection, std::size_t size_bytes);
  /// Bytes of output() have left: the client, should it have fallen behind, makes progress.
  void on_written(TimePoint now, Connection& connection);
  /// output() was offered to the transport. To be called after each on_ready(), and whenever the transport
  /// takes more, whether or not something could be written: what waits for the client goes on from here,
  /// in portions. on_ready() may be called again, from within this call too.
  void serviced(TimePoint now, Connection& connection);
  /// The transport is not read from although input is wanted, as the client does not take its answers: its
  /// keep-alive does not run until on_reading_resumed(). To notice a dead client is the owner's from here.
  void on_reading_stopped(Connection& connection);
  void on_reading_resumed(TimePoint now, Connection& connection);
  /// The transport is gone, however it went. Destroys the connection.
  void close(TimePoint now, Connection& connection);

  /// For an owner of several connections in several threads: `publisher`'s messages to `topic`, which need
  /// not be valid, may go past the broker, as long as what was found is valid. Nothing: not now. What the
  /// publisher sent before was given to receive(), and what the broker has for the receivers has left their
  /// output(). Behind all but PUBLISH, PINGREQ and acknowledgements what was found before is not to be used.
  [[nodiscard]] std::optional<Route> find_route(TimePoint now, Connection& publisher, std::string_view topic);
  /// What has gone past it.
  void note_routed(const RoutedCounts& counts);
  /// What of that, told of as sent before or later, was not, as memory was full. Null: a client that has
  /// left.
  void note_dropped(TimePoint now, Connection* connection, const RoutedCounts& dropped);
  /// The client was heard at that time, by who routed its messages.
  void note_heard(Connection& connection, TimePoint when);
  /// AccessControl answers otherwise from now on.
  void end_routes();

  void on_time(TimePoint now);
  [[nodiscard]] Deadline next_deadline() const;
  /// The work of the login that waits longest, once; nothing if none does. To be asked for at a turn's end.
  [[nodiscard]] std::optional<AuthWork> take_auth_work(TimePoint now);
  /// Its result, when there is one: the client may have gone meanwhile.
  void decide(TimePoint now, std::uint64_t ticket, AuthDecision decision);
  /// Once, before anything else: takes back what the store has kept. After a failure the broker must not be
  /// used.
  [[nodiscard]] Result<void> recover(TimePoint now);
  /// Makes durable what has to be. A fault: of the connections those that has_promised() are to be cut off,
  /// and what they were to be told must not leave; the others may go on.
  [[nodiscard]] Result<void> commit(TimePoint now);
  /// Why the store cannot keep anything now, or null. Until it can again nothing is accepted that would have
  /// to be kept: QoS 1 and 2 is refused, sessions that stay can neither connect nor subscribe.
  [[nodiscard]] const Error* store_fault() const;

  /// Tells every client that the server ends (0x8B) and wants all connections closed.
  void shut_down(TimePoint now);
  /// Ends one client's connection, if there is one: 0x98 Administrative action.
  void disconnect(TimePoint now, std::string_view client_id, ReasonCode reason);

  /// The filters that the client has subscribed to, in no particular order. Empty without a session.
  [[nodiscard]] std::vector<std::string> filters_of(std::string_view client_id) const;
  /// The client, which is not connected, has lost its part of the session: of QoS 2 messages that it had
  /// begun to publish it will send no PUBREL, and their packet identifiers stand for new messages.
  void forget_received(TimePoint now, std::string_view client_id);
  /// Sets $SYS/broker/NAME, unless it says that already or there is no $SYS. For what is beside the broker.
  void tell(TimePoint now, std::string_view name, std::string_view text);

  [[nodiscard]] const Counters& counters() const;
  /// Those with the most bytes waiting, `count` at most. Looks at every connection: for people, not for
  /// programs that ask often.
  [[nodiscard]] std::vector<SlowClient> slow_clients(std::size_t count) const;
  /// Much of Limits::memory is in use: a transport that has answers to write is to be read from no more.
  [[nodiscard]] bool memory_is_short() const;
  [[nodiscard]] const BrokerConfig& config() const;

 private:
  friend class Connection;
  struct State;
  [[nodiscard]] Deadline next_of_timers() const;
  std::unique_ptr<State> state_;
};

}  // namespace mqtt::broker
