#pragma once
#include <memory>
#include <string>
#include <vector>

#include <mqtt/broker/access.hpp>
#include <mqtt/broker/subscription.hpp>
#include <mqtt/session/server_session.hpp>
#include <mqtt/util/timers.hpp>

namespace mqtt::broker {

class Broker;
class Connection;
struct Session;

/// The transport's side of a Connection. It outlives the Connection.
class ConnectionOwner {
 public:
  /// There is something to do: output() to be written, wants_close(), or wants_input() has changed.
  /// Called at most once until Broker::serviced().
  virtual void on_ready() = 0;

 protected:
  ~ConnectionOwner() = default;
};

/// One transport connection as the broker sees it, from Broker::open() to Broker::close().
class Connection final : private ServerHandler {
 public:
  Connection(Broker& broker, ConnectionOwner& owner, ConnectionInfo info, ChunkPool& pool, TimePoint now,
             const ServerConfig& config);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] OutBuffer& output() { return link_.output(); }
  /// How much of the front of output() is messages, and answers between them: the rest is answers to what
  /// the client said. Messages alone stay within Limits::write_backlog and one message more, or, on a
  /// session that is resumed, what was in flight.
  [[nodiscard]] std::size_t messages_end() const { return messages_end_; }
  /// The transport is to be closed once output() is written, or has had its time.
  [[nodiscard]] bool wants_close() const { return link_.wants_close(); }
  /// Null until then.
  [[nodiscard]] const CloseInfo* close_info() const { return link_.close_info(); }
  /// False: stop reading from the transport until on_ready() and true again.
  [[nodiscard]] bool wants_input() const { return link_.wants_input(); }
  /// Something in output() may leave only after a commit() that succeeds.
  [[nodiscard]] bool has_promised() const { return promised_; }
  /// For logs.
  [[nodiscard]] std::string_view address() const;
  /// Of the client; empty before CONNECT was accepted.
  [[nodiscard]] std::string_view client_id() const;
  /// It outlives the connection.
  void set_observer(PacketObserver& observer);

 private:
  friend class Broker;

  void on_connect(const ConnectView& connect) override;
  void on_message(const PublishView& message, AckToken token) override;
  void on_taken_over(PacketId id) override;
  void on_published(PacketId id, ReasonCode reason, PropertiesView properties) override;
  void on_released(PacketId id) override;
  void on_subscribe(const SubscribeView& subscribe) override;
  void on_unsubscribe(const UnsubscribeView& unsubscribe) override;
  void on_auth(const AuthView& auth) override;
  void on_disconnect(const DisconnectView& disconnect) override;

  Broker& broker_;
  ConnectionOwner& owner_;
  struct Pending;  // null with a session that is not being authenticated anew
  std::unique_ptr<Pending> pending_;
  [[no_unique_address]] ServerSession link_;  // what follows fills its last bytes
  bool announced_ready_ = false;
  bool unsettled_ = false;
  bool was_accepted_ : 1 = false;
  bool unheard_ : 1 = false;    // on_reading_stopped()
  bool promised_ : 1 = false;   // has_promised()
  Session* session_ = nullptr;  // once CONNECT was accepted
  std::uint32_t place_ = 0;     // among the broker's connections
  /// Of its input, in the account of all memory.
  std::uint32_t counted_input_ = 0;
  std::size_t messages_end_ = 0;
  TimerPlace timer_;  // no later than its next deadline
  struct Waiting {
    std::vector<SubscriberId> readers;     // slow ones of what it published
    SubscriberId watched = 0;              // that of them in whose list it stands
    std::vector<AckToken> unacknowledged;  // held back until they have caught up
  };
  Rare<Waiting> waiting_;
};

static_assert(sizeof(Connection) <= 248, "thousands are idle");

}  // namespace mqtt::broker
