#pragma once
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <mqtt/broker/broker.hpp>
#include <mqtt/broker/failed_logins.hpp>
#include <mqtt/broker/packet_counter.hpp>
#include <mqtt/broker/route.hpp>
#include <mqtt/broker/session_table.hpp>
#include <mqtt/broker/status.hpp>

namespace mqtt::broker {

/// Who it is that has no session, and what is kept of CONNECT, or of a new authentication, until it is
/// decided.
struct Connection::Pending {
  ConnectionInfo info{};  // unless there is a session, which has the address
  // Of CONNECT:
  Version version = Version::v5;
  bool clean_start = true;
  std::uint16_t keep_alive = 0;
  std::string client_id;
  std::string method;                         // Authentication Method, or empty
  std::uint32_t session_expiry_interval = 0;  // that it is granted
  bool expires_early = false;                 // it asked for more
  bool wants_response_information = false;
  std::unique_ptr<Will> will;
  std::unique_ptr<AuthExchange> exchange;
  std::uint64_t ticket = 0;  // of its login among those that are put off, or 0
};

/// A login that waits for its check.
struct Login {
  Connection* connection;
  std::function<AuthDecision()> work;  // empty: it is under way
  std::size_t size_bytes;
};

/// How often one client's drops of one kind are told of.
inline constexpr Duration drop_event_interval = std::chrono::seconds{10};

/// How one client is to get a message.
struct Manner {
  std::span<const std::uint32_t> identifiers;
  std::optional<TopicTree::Position> shared;
  QoS qos;
  bool retain;
};

/// What everybody gets of it.
struct Outbound {
  std::string_view topic;
  PropertiesView properties;  // travelling ones
  Deadline expires;
  SharedBytes payload;
};

[[nodiscard]] inline Outbound outbound_of(const MessagePtr& message) {
  return {message->topic(), message->properties(), message->expires(), shared_payload(message)};
}

/// A retained message with an expiry.
struct RetainedExpiry {
  std::string topic;
  TimerPlace timer{};
};

/// The broker's parts, and its rules as functions over them, each group in its own source file. Every
/// public call of Broker sets `now` first and ends with finish().
struct Broker::State {
  State(Broker& owner, ChunkPool& chunk_pool, BrokerConfig settings, BrokerServices given, SipKey secret);

  // broker_turn.cpp: connections come and go, time passes
  void settle(Connection& connection);
  void finish();
  void note_changed(Connection& connection);
  void detach(Connection& connection);
  void forget(Connection& connection);
  void on_connection_time(Connection& connection);
  void mark_ready(Connection& connection);
  void want_close(Connection& connection, ReasonCode reason);

  // broker_connect.cpp: CONNECT, AUTH, take-over
  void on_connect(Connection& connection, const ConnectView& connect);
  void on_auth(Connection& connection, const AuthView& auth);
  void on_decision(Connection& connection, AuthDecision decision);
  void note_failed_login(const Connection& connection, ReasonCode reason);
  void refuse(Connection& connection, ReasonCode reason, std::string_view text);
  [[nodiscard]] std::optional<ReasonCode> find_connect_fault(const Connection::Pending& pending,
                                                             const Identity& who);
  [[nodiscard]] bool would_be_told(const Connection::Pending& pending, std::string_view client_id) const;
  void accept(Connection& connection, AuthDecision decision);
  void begin_connection(Connection& connection, Acceptance acceptance);
  [[nodiscard]] Acceptance make_acceptance(const Connection::Pending& pending, std::string_view client_id,
                                           std::string_view auth_data) const;
  Session* take_up(std::string_view client_id, bool clean_start);
  void take_over(Session& session);
  [[nodiscard]] std::string make_client_id();
  [[nodiscard]] std::uint64_t next_random();
  /// What Message::publisher() is of this client's messages.
  [[nodiscard]] std::uint64_t tag_of(std::string_view client_id) const {
    return siphash(publisher_key, client_id);
  }

  // broker_logins.cpp: logins that are checked elsewhere
  void put_off(Connection& connection, std::function<AuthDecision()> work, std::size_t size_bytes);
  [[nodiscard]] std::optional<AuthWork> take_auth_work();
  void decide(std::uint64_t ticket, AuthDecision decision);
  void drop_login(Connection& connection);
  void end_after(Connection& connection, std::optional<Duration> lasts);
  void end_due_logins();

  // broker_sessions.cpp: what is kept of clients, and wills
  void on_disconnect(Connection& connection, const DisconnectView& disconnect);
  void begin_absence(Session& session, bool will_is_due);
  void withdraw_will(Session& session);
  void on_session_time(Session& session);
  void end_session(Session& session);
  void publish_will(Session& session);
  void arm(Session& session);

  // broker_publish.cpp: routing
  void on_message(Connection& connection, const PublishView& publish, AckToken token);
  struct Incoming {
    const PublishView& publish;
    SubscriberId publisher = 0;
    Connection* connection = nullptr;  // that waits for slow readers; none for a Will
    Deadline expires{};
    MessagePtr message{};  // made when somebody has to keep it
  };
  [[nodiscard]] std::optional<ReasonCode> find_publish_fault(const Session& session,
                                                             const PublishView& publish);
  void refuse_publish(Connection& connection, AckToken token, ReasonCode reason);
  void refuse_unkept(Connection& connection, AckToken token);
  void turn_away(Connection& connection, AckToken token, ReasonCode reason);
  void on_released(Connection& connection, PacketId id);
  [[nodiscard]] const MessagePtr& message_of(Incoming& incoming);
  /// How many are to have it, counting each group once.
  std::size_t route(Incoming& incoming);
  void find_receivers(const Incoming& incoming);
  void add_match(const Subscription& subscription);

  // broker_routes.cpp: what others may route without asking for each message
  [[nodiscard]] std::optional<Route> find_route(Connection& publisher, std::string_view topic);
  [[nodiscard]] bool may_skip(const Connection& publisher) const;
  [[nodiscard]] bool can_be_reached(const Session& session, std::string_view topic) const;
  void end_routes_to(const Session& session);
  void note_routed(RoutedCounts counts);
  /// `session`: null if its client has left.
  void note_dropped(Session* session, const RoutedCounts& dropped);

  // broker_share.cpp: shared subscriptions
  void deliver_to_group(Incoming& incoming, ShareGroup& group);
  [[nodiscard]] const Subscription* pick_member(std::span<const Subscription> members, std::size_t turn,
                                                QoS qos, const Session* except) const;
  [[nodiscard]] std::set<TopicTree::Position> find_groups(const Session& session,
                                                          const UnsubscribeView& unsubscribe) const;
  enum class Leaving : std::uint8_t { unsubscribed, for_good };
  void leave_groups(Session& session, const std::set<TopicTree::Position>& groups, Leaving leaving);
  void redistribute(Session& leaving, std::vector<Delivery> deliveries);
  Session* redistribute(Session& leaving, Delivery delivery);

  // broker_retain.cpp
  [[nodiscard]] bool has_room_to_retain(const PublishView& publish) const;
  void retain(Incoming& incoming);
  void set_retained(const MessagePtr& message);
  void forget_retained(std::string_view topic);
  void forget_expiry(std::string_view topic);
  void on_retained_time(RetainedExpiry& expiry);

  // broker_subscribe.cpp
  void on_subscribe(Connection& connection, const SubscribeView& subscribe);
  [[nodiscard]] ReasonCode subscribe_one(Session& session, const SubscriptionView& asked,
                                         std::uint32_t identifier);
  void note_subscription(Session& session, std::string_view filter, TopicTree::Position position);
  [[nodiscard]] std::optional<ReasonCode> find_subscribe_fault(const Session& session,
                                                               std::string_view filter);
  [[nodiscard]] bool has_room_to_subscribe(const Session& session, std::string_view filter) const;
  void on_unsubscribe(Connection& connection, const UnsubscribeView& unsubscribe);

  // broker_deliver.cpp: one client's messages out
  void deliver(Session& session, Incoming& incoming, const Manner& manner);
  void deliver(Session& session, Delivery delivery);
  [[nodiscard]] bool can_send_now(const Session& session, QoS qos) const;
  [[nodiscard]] bool has_quota(const Session& session) const;
  [[nodiscard]] Outbound outbound_of(Incoming& incoming);
  PacketId send(Session& session, const Outbound& outbound, const Manner& manner);
  [[nodiscard]] PropertiesView outgoing_properties(const Outbound& outbound, const Manner& manner);
  void send(Session& session, Delivery delivery);
  void keep_shared(Session& session, PacketId id, Delivery delivery);
  void enqueue(Session& session, Delivery delivery, Connection* publisher);
  void push(Session& session, Delivery delivery);
  [[nodiscard]] bool make_room(Session& session, const Delivery& delivery);
  [[nodiscard]] std::optional<DropReason> find_room_fault(const Session& session,
                                                          const Delivery& delivery) const;
  bool drop_expired(Session& session);
  void uncount(const Delivery& delivery);
  Delivery dequeue(Session& session);
  void pump(Session& session);
  [[nodiscard]] bool pump_replay(Session& session, std::size_t& steps);
  [[nodiscard]] bool pump_queue(Session& session);
  void on_published(Connection& connection, PacketId id, ReasonCode reason);
  void on_taken_over(Connection& connection, PacketId id);
  void drop(DropReason reason, std::uint64_t count = 1) {
    counters.dropped[static_cast<std::size_t>(reason)] += count;
  }
  void drop(Session& session, DropReason reason, std::uint64_t count = 1);
  void tell_drops(Session& session);

  // broker_slow.cpp: readers that fall behind, and publishers that wait for them
  [[nodiscard]] bool is_long(const Session& session) const;
  [[nodiscard]] bool is_short(const Session& session) const;
  [[nodiscard]] static bool reads(const Session& session);
  [[nodiscard]] static bool is_expected(const Session& session);
  void await(Session& session);
  void note_return(Session& session);
  [[nodiscard]] bool is_waited_for(const Delivery& delivery) const;
  [[nodiscard]] bool may_exceed(const Session& session, const Delivery& delivery) const;
  void note_queued(Session& session, Connection* publisher, QoS qos);
  void note_sign_of_life(Session& session);
  void note_progress(Session& session);
  void note_behind(const Session& session);
  void note_gone(Session& session);
  void on_stopped(Session& session);
  void drop_newest(Session& session, DropReason reason);
  void make_wait(Connection& publisher, const Session& reader);
  void acknowledge(Connection& connection, AckToken token, ReasonCode reason);
  [[nodiscard]] bool is_behind(SubscriberId id) const;
  [[nodiscard]] bool still_waits(Connection& connection);
  void stop_waiting(Connection& connection);
  void release_publishers();
  void release(Connection& connection);
  void pause(Connection& publisher);
  void read_on(Connection& connection);

  // broker_store.cpp: what outlives the process
  void tell(Session& session);
  [[nodiscard]] bool is_kept(const Session& session, const Manner& manner) const;
  void keep(Session& session, Delivery& delivery, PacketId id);
  void give_up(Delivery& delivery);
  void promise(Connection& connection);
  [[nodiscard]] bool store_fails() const { return durable && services.store.fault() != nullptr; }
  [[nodiscard]] Result<void> commit();
  struct Recoverer;
  [[nodiscard]] Result<void> recover();

  // broker_status.cpp: $SYS
  void tell_status();
  void tell_numbers();
  void tell_heap();
  void tell_loads();
  void tell_topic(std::string_view name, std::string_view text);

  // broker_memory.cpp: the account of what clients make the broker keep
  [[nodiscard]] std::size_t memory() const;
  [[nodiscard]] bool memory_is_short() const;
  [[nodiscard]] bool memory_is_full() const;
  [[nodiscard]] std::size_t backlog_max() const;
  [[nodiscard]] std::size_t in_flight_max() const;
  void recount(Connection& connection);
  void recount(Session& session);
  [[nodiscard]] bool input_is_too_much() const;
  void bound_input(const Connection& connection);

  Broker& broker;
  ChunkPool& pool;
  BrokerConfig config;
  const ServerConfig session_config;
  BrokerServices services;
  FailedLogins failed_logins;
  const SipKey id_key;
  const SipKey response_key;
  SipKey publisher_key;  // that of the store, once that has given back what it keeps
  const bool durable;    // something outlives the process
  bool store_failed = false;
  bool ending = false;  // shut_down()
  std::uint64_t randoms = 0;
  TimePoint now{};

  Counters counters;
  PacketCounter packet_counter{counters};
  std::unordered_map<const Connection*, PacketCounter> watched;  // by an observer too
  Status status;
  std::size_t status_topics = 0;    // in `retained`
  std::uint64_t message_count = 0;  // that became a Message
  std::uint64_t row_count = 0;      // deliveries that were given to the store
  std::shared_ptr<MessageAccount> message_account = std::make_shared<MessageAccount>();
  std::size_t queue_places_bytes = 0;  // of deliveries that wait, without their messages
  std::size_t in_flight_bytes = 0;     // without what else has an owner
  std::size_t input_bytes = 0;         // received and not handled
  SessionTable sessions;
  TopicTree topics;
  std::size_t topics_weight = 0;  // weight_of() all filters, once for each subscription
  RetainedTree retained;
  RouteTable routes;
  RoutedCounts dropped_routed;  // by others, and not yet told of as sent
  std::vector<std::unique_ptr<Connection>> connections;
  std::unordered_map<std::string_view, std::unique_ptr<RetainedExpiry>, KeyedHash> retained_expiries;
  Timers<Connection, &Connection::timer_> connection_timers;
  Timers<Session, &Session::timer> session_timers;
  Timers<RetainedExpiry, &RetainedExpiry::timer> retained_timers;
  std::vector<Connection*> unsettled;  // have changed during this call
  /// Publishers that wait for slow readers, each by one of these.
  std::unordered_map<SubscriberId, std::vector<Connection*>> waiting;
  std::vector<Connection*> promised;      // have output that depends on the next commit
  std::map<std::uint64_t, Login> logins;  // by ticket, the oldest first
  std::uint64_t last_ticket = 0;
  std::size_t login_bytes = 0;
  std::set<std::pair<TimePoint, Connection*>> login_ends;  // of those that end by themselves
  std::unordered_map<Connection*, TimePoint> login_end_of;
  bool will_withdrawn = false;                // since the last commit
  std::vector<SubscriberId> changed_readers;  // who was waited for, or has to be read from now

  // Of the match under way; kept, so that routing allocates nothing.
  struct Match {
    Session* session;
    QoS qos;
    bool retain_as_published;
    std::vector<std::uint32_t> identifiers;
  };
  std::vector<Match> matches;
  std::size_t match_count = 0;
  std::vector<ShareGroup*> group_matches;
  std::uint64_t match_number = 0;
  Properties scratch;
};

}  // namespace mqtt::broker
