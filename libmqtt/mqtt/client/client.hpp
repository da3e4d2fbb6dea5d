#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <mqtt/client/ending.hpp>
#include <mqtt/client/reconnect.hpp>
#include <mqtt/client/token_renewal.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/net/open_stream.hpp>
#include <mqtt/session/client_session.hpp>
#include <mqtt/util/rare.hpp>

namespace mqtt {

/// A token that does not stay the same.
struct RenewableToken {
  std::shared_ptr<TokenSource> source;
  Token first;
  /// Whose data it is; null: it is the password, and a living connection keeps the one it began with.
  std::shared_ptr<FixedMechanism> mechanism;
};

/// Where to, as whom, and what is done when the connection breaks.
struct ClientOptions {
  net::StreamTarget target;  ///< its deadline is set anew for each attempt
  /// Opens the stream instead, if it is not empty: there is nothing to connect to then.
  std::function<Result<std::unique_ptr<net::ByteStream>>()> source{};
  ConnectOptions connect;
  /// Enhanced authentication, with 5.0; null: none.
  std::shared_ptr<AuthMechanism> mechanism;
  /// Fetched anew for each reconnect, and with a mechanism while connected, to re-authenticate before it
  /// ends.
  std::optional<RenewableToken> token;
  ClientConfig session;  ///< connack_timeout is not used: connect_timeout covers CONNACK
  /// Try 3.1.1 when the server says that it does not speak 5.0.
  bool version_fallback = false;
  Duration connect_timeout = std::chrono::seconds{10};  ///< from lookup to CONNACK, per attempt
  ReconnectPolicy reconnect;
  /// The client id is of this client's own making, and its session is to outlive lost connections, but not
  /// the client. Before 5.0 it connects with Clean Session 0, then, and ends the session by a short
  /// connection of its own. With 5.0 the caller's Session Expiry Intervals do that.
  bool own_session = false;
  std::uint64_t jitter_seed = 0;
};

/// What a Client tells its owner, besides the session's events. A refusing on_connack() is followed
/// by another attempt, on_lost() or on_ended(). Handlers may call the session and the client, but
/// must not destroy the client.
class ClientHandler : public SessionHandler {
 public:
  /// An attempt begins. What clients with the same options do not share can be set here: where this one
  /// connects to or from, and what its CONNECT says.
  virtual void on_opening(net::StreamTarget&) {}
  virtual void on_connecting(ConnectOptions&) {}
  /// On the way to CONNECT, for who measures it.
  virtual void on_step(net::OpenStep) {}
  /// The connection failed or was lost and will be tried again after `delay`.
  virtual void on_lost(const Ending&, Duration) {}
  /// There is no new token for the one that ends; the next attempt is after `delay`.
  virtual void on_renewal_failed(const Error&, Duration) {}
  /// own_session: the server could not be told to forget the session. on_ended() follows.
  virtual void on_session_left(const Ending&) {}
  /// All is over: disconnect() was done, or nothing is tried again.
  virtual void on_ended(const Ending& ending) = 0;
  /// Packets are about to leave: the moment to make durable what they depend on. False keeps them here and
  /// ends everything, as disconnect() does, but without another byte.
  virtual bool may_write() { return true; }
  /// What was queued has been given to the kernel: there is room for more.
  virtual void on_output_drained() {}

 protected:
  ~ClientHandler() = default;
};

class SessionEnd;

/// How to break a connection on purpose, for who tests a server.
enum class Breakage : std::uint8_t {
  reset,       ///< gone at once, with what was under way: a TCP reset
  half_close,  ///< our direction ends without DISCONNECT; what the server says still comes, until it ends,
               ///< too
};

/// A ClientSession on a ByteStream in a loop, with reconnecting, which also follows a server that sends it
/// to another one (4.11). Packets that the session queues
/// leave in one gathered write at the end of each turn.
class Client final : private net::StreamHandler {
 public:
  Client(net::Loop& loop, ClientOptions options, ClientHandler& handler);
  /// Of thousands with the same options: ClientHandler::on_opening() and on_connecting() tell them apart.
  Client(net::Loop& loop, std::shared_ptr<const ClientOptions> options, ClientHandler& handler);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Begins the first attempt. on_ended() follows some time.
  void start();
  /// Queues DISCONNECT, flushes, half-closes and waits for the server's end. If the server stops taking
  /// what is queued, the ending is connection_lost. `properties` are left out where they do not fit.
  /// Without a connection it gives up at once, or after the CONNACK that an own_session waits for; on_ended()
  /// follows in any case, never from inside, and nothing is tried again however the connection ends.
  void disconnect(ReasonCode reason = ReasonCode::normal_disconnection, PropertiesView properties = {});
  /// Loses a connection that has come to CONNACK, as a network would; else nothing. What was queued and not
  /// written goes with it. on_lost() or on_ended() follows, and the next attempt is not before `away` has
  /// passed. Not to be called from inside a callback.
  void break_connection(Breakage how, Duration away = {});
  /// Stops reading, and so the server, while the owner cannot take more.
  void pause_reading();
  void resume_reading();

  [[nodiscard]] ClientSession& session() { return session_; }
  [[nodiscard]] net::Loop& loop() const { return timer_.loop(); }
  /// Messages can be sent.
  [[nodiscard]] bool connected() const { return session_.connected() && !unusual_->write_error; }
  /// A connection was accepted, this one or an earlier one.
  [[nodiscard]] bool has_connected() const { return has_connected_; }
  /// The session has queued something outside a callback of this client: send it this turn.
  void flush() { turn_end_.request(); }
  /// Bytes queued that the kernel has not taken.
  [[nodiscard]] std::size_t unsent() { return session_.output().size(); }
  /// "127.0.0.1:1883"; empty without a connection.
  [[nodiscard]] std::string peer() const { return stream_ ? stream_->peer() : std::string{}; }
  /// Version, cipher and so on of the connection.
  [[nodiscard]] net::StreamProperties stream_properties() const;
  /// Bytes that the kernel has taken and the other end has not yet acknowledged.
  [[nodiscard]] std::size_t unacknowledged_bytes() const { return stream_ ? stream_->unacknowledged() : 0; }

  /// What the kernel has counted of the connection; nothing without one, or where there is no TCP.
  [[nodiscard]] std::optional<net::SegmentCounts> segments() const {
    return stream_ ? stream_->segments() : std::nullopt;
  }

  /// How long disconnect() waits for the server to take more of what is queued, and then to close.
  static constexpr Duration drain_timeout = std::chrono::seconds{2};
  /// A connection that lasted so long was a good one.
  static constexpr Duration stable_after = std::chrono::seconds{5};

 private:
  enum class State : std::uint8_t { idle, opening, open, closing, waiting, over };

  void on_data(Bytes bytes) override;
  void on_writable() override;
  void on_end() override;
  void on_error(Error error) override;

  /// What few clients ever need, or only at their end.
  struct Unusual {
    std::unique_ptr<TokenRenewal> renewal;
    std::optional<std::string> token;       // the newest, if it is the password
    std::vector<net::HostPort> elsewhere;   // where a server has sent us for the next connection
    std::vector<net::HostPort> moved_to;    // and for good
    std::optional<ReasonCode> goodbye_due;  // of a disconnect() that waits for CONNACK
    std::unique_ptr<SessionEnd> session_end;
    std::optional<Error> write_error;
    std::optional<Ending> over;  // what on_ended() will say at the end of this turn
    Unusual();
    ~Unusual();
  };
  /// Until CONNACK.
  struct Attempt {
    std::unique_ptr<net::Opening> opening;
    std::string first_bytes;
  };
  /// Of who reconnects.
  struct Retrying {
    Backoff backoff;
    TimePoint accepted_at{};
    std::size_t in_flight_at_accept = 0;
    Duration away{};  // of break_connection()
  };

  [[nodiscard]] const std::string& first_bytes() const { return attempt_->first_bytes; }
  void open();
  void open_stream();
  void fetch_token();
  void use_token(std::string token);
  void keep_token_fresh();
  void re_authenticate(std::string token);
  [[nodiscard]] bool token_may_help(const Ending& ending) const;
  void on_accepted();
  [[nodiscard]] bool made_progress() const;
  [[nodiscard]] Version wanted_version() const;
  void end_drained_or_not();
  void drop_connection();
  void disconnect_after_connack(ReasonCode reason);
  [[nodiscard]] bool say_goodbye(ReasonCode reason, PropertiesView properties);
  void on_opened(Result<std::unique_ptr<net::ByteStream>> opened);
  void on_timer();
  void at_turn_end();
  void write_output();
  void write_parts();
  void begin_closing();
  void arm_timer();
  [[nodiscard]] Ending ending_of_session() const;
  [[nodiscard]] Ending lost(Error error) const;
  [[nodiscard]] ConnectOptions own_connect_options() const;
  [[nodiscard]] ConnectOptions connect_options() const;
  [[nodiscard]] net::StreamTarget own_target() const;
  [[nodiscard]] ClientOptions own_options() const;
  void end_attempt(Ending ending);
  [[nodiscard]] bool falls_back(const Ending& ending) const;
  [[nodiscard]] bool follows(const Ending& ending);
  [[nodiscard]] bool owns_kept_session() const;
  void finish(Ending ending);
  void end_session(Ending ending);

  // Of thousands of these most are idle.
  std::shared_ptr<const ClientOptions> options_;
  ClientHandler& handler_;
  ClientSession session_;
  net::TurnEnd turn_end_;
  net::Timer timer_;
  std::unique_ptr<net::ByteStream> stream_;
  Rare<Unusual> unusual_;
  Rare<Attempt> attempt_;
  std::unique_ptr<Retrying> retrying_;  // null: it does not reconnect
  Deadline deadline_;                   // of the state: connect, drain or retry
  State state_ = State::idle;
  bool fell_back_ = false;      // to 3.1.1
  bool was_connected_ = false;  // in this attempt
  bool has_connected_ = false;  // ever
  bool token_used_ = false;     // by an attempt that came to nothing
  bool leaving_ = false;        // disconnect() was called
  bool session_owed_ = false;   // the server may hold a session that we promised to end
  bool write_blocked_ = false;
  bool reading_paused_ = false;
};

}  // namespace mqtt
