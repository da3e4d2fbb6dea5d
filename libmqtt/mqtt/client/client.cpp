#include <mqtt/client/client.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include <mqtt/client/session_end.hpp>

namespace mqtt {
namespace {

/// Enough to fill a socket's buffer in one call; more parts wait for the next.
constexpr std::size_t gathered_parts = 64;

constexpr std::size_t first_bytes_kept = 16;

/// The client keeps the deadline of CONNACK itself, since it has to cover the way there, too.
ClientConfig without_connack_timeout(ClientConfig config) {
  config.connack_timeout = Duration::zero();
  return config;
}

}  // namespace

Client::Unusual::Unusual() = default;
Client::Unusual::~Unusual() = default;

Client::Client(net::Loop& loop, ClientOptions options, ClientHandler& handler)
    : Client{loop, std::make_shared<const ClientOptions>(std::move(options)), handler} {}

Client::Client(net::Loop& loop, std::shared_ptr<const ClientOptions> options, ClientHandler& handler)
    : options_{std::move(options)},
      handler_{handler},
      session_{loop.chunks(), without_connack_timeout(options_->session)},
      turn_end_{loop, [this] { at_turn_end(); }},
      timer_{loop, [this] { on_timer(); }} {
  session_.set_mechanism(options_->mechanism.get());
  // Of many with the same options, each has to wait for a time of its own.
  const std::uint64_t seed = options_->jitter_seed + reinterpret_cast<std::uintptr_t>(this);
  if (options_->reconnect.enabled) retrying_ = std::make_unique<Retrying>(Backoff{options_->reconnect, seed});
  if (options_->token)
    unusual_.make().renewal = std::make_unique<TokenRenewal>(loop, options_->token->source,
                                                             options_->token->first, options_->jitter_seed);
}

Client::~Client() = default;

void Client::start() { open(); }

void Client::open() {
  state_ = State::opening;
  was_connected_ = false;
  write_blocked_ = false;
  if (unusual_) unusual_.make().write_error.reset();
  attempt_.reset();
  deadline_ = loop().refresh_now() + options_->connect_timeout;
  if (unusual_->renewal && token_used_) return fetch_token();
  open_stream();
}

/// The one that we have may have ended.
void Client::fetch_token() {
  unusual_.make().renewal->fetch(options_->connect_timeout, [this](Result<std::string> token) {
    if (!token)
      return end_attempt(Ending{.kind = Ending::Kind::open_failed, .error = std::move(token.error())});
    use_token(std::move(*token));
    open_stream();
  });
}

void Client::use_token(std::string token) {
  if (FixedMechanism* mechanism = options_->token->mechanism.get())
    return mechanism->set_data(std::move(token));
  unusual_.make().token = std::move(token);
}

void Client::keep_token_fresh() {
  if (!unusual_->renewal || !options_->token->mechanism) return;
  unusual_->renewal->keep_fresh([this](std::string token) { re_authenticate(std::move(token)); },
                                [this](const Error& error, Duration delay) {
                                  handler_.on_renewal_failed(error, delay);
                                  turn_end_.request();
                                });
}

void Client::re_authenticate(std::string token) {
  use_token(std::move(token));
  // Refused only where it would be of no use: the connection is closing, or the exchange before goes on.
  (void)session_.re_authenticate(loop().now());
  turn_end_.request();
}

void Client::open_stream() {
  if (options_->source) return on_opened(options_->source());
  net::StreamTarget target = own_target();
  target.connect.deadline = deadline_;
  target.on_step = [this](net::OpenStep step) { handler_.on_step(step); };
  if (!unusual_->elsewhere.empty()) {
    // The next time we begin with our own again.
    target.hosts = std::exchange(unusual_.make().elsewhere, {});
    target.connect.service.clear();
  }
  attempt_.make().opening = std::make_unique<net::Opening>(
      loop(), std::move(target), [this](auto opened) { on_opened(std::move(opened)); });
}

void Client::on_opened(Result<std::unique_ptr<net::ByteStream>> opened) {
  if (attempt_) attempt_.make().opening.reset();
  if (!opened)
    return end_attempt(Ending{.kind = Ending::Kind::open_failed, .error = std::move(opened.error())});
  stream_ = std::move(*opened);
  state_ = State::open;
  if (auto queued = session_.connect(loop().now(), connect_options()); !queued)
    return end_attempt(Ending{.kind = Ending::Kind::bad_options, .error = std::move(queued.error())});
  session_owed_ = session_owed_ || owns_kept_session();
  stream_->set_handler(this);
  turn_end_.request();
}

bool Client::owns_kept_session() const { return options_->own_session && wanted_version() != Version::v5; }

Version Client::wanted_version() const { return fell_back_ ? Version::v3_1_1 : options_->connect.version; }

/// What the options say, and what has come of them.
ConnectOptions Client::own_connect_options() const {
  ConnectOptions options = options_->connect;
  options.version = wanted_version();
  if (fell_back_) {
    options.properties = {};
    if (options.will) options.will->properties = {};
  }
  if (unusual_->token) options.password = unusual_->token;
  handler_.on_connecting(options);
  return options;
}

net::StreamTarget Client::own_target() const {
  net::StreamTarget target = options_->target;
  handler_.on_opening(target);
  if (unusual_->moved_to.empty()) return target;
  target.hosts = unusual_->moved_to;
  target.connect.service.clear();
  return target;
}

ClientOptions Client::own_options() const {
  ClientOptions options = *options_;
  options.connect = own_connect_options();
  options.target = own_target();
  return options;
}

/// Whether the server shall drop a session that it holds: what the caller asked for, but only the
/// first time, if the session is to outlive connections.
ConnectOptions Client::connect_options() const {
  ConnectOptions options = own_connect_options();
  if (owns_kept_session()) options.clean_start = false;
  if (!has_connected_) return options;
  if (options.client_id.empty()) options.client_id = session_.client_id();
  const auto expiry = options.properties.view().number_or(PropertyId::session_expiry_interval, 0);
  if (options.version == Version::v5 && expiry > 0) options.clean_start = false;
  return options;
}

void Client::on_data(Bytes bytes) {
  if (!was_connected_ && first_bytes().size() < first_bytes_kept) {
    const std::size_t size = std::min(bytes.size(), first_bytes_kept - first_bytes().size());
    attempt_.make().first_bytes.append(as_text(bytes.first(size)));
  }
  if (state_ != State::open) return;  // a closing connection has nothing more to say to us
  session_.receive(loop().now(), bytes, handler_);
  if (session_.accepted() && !was_connected_) on_accepted();
  if (unusual_->goodbye_due && session_.connected())
    disconnect(*std::exchange(unusual_.make().goodbye_due, std::nullopt));
  turn_end_.request();
}

void Client::on_accepted() {
  was_connected_ = has_connected_ = true;
  attempt_.reset();
  if (retrying_) {
    retrying_->accepted_at = loop().now();
    retrying_->in_flight_at_accept = session_.in_flight();
  }
  if (!session_.wants_close()) {
    deadline_ = std::nullopt;
    keep_token_fresh();
  }
  if (reading_paused_) pause_reading();
}

void Client::on_writable() {
  write_blocked_ = false;
  turn_end_.request();
}

void Client::on_end() {
  end_attempt(session_.wants_close()
                  ? ending_of_session()
                  : lost(Error{ErrorDomain::system, 0, "the server closed the connection"}));
}

void Client::on_error(Error error) {
  if (!session_.wants_close()) return end_attempt(lost(std::move(error)));
  // The connection was to end anyway; why matters more than how. But who had sent QoS 0 messages wants
  // to know of a reset.
  Ending ending = ending_of_session();
  if (ending.error.context.empty()) ending.error = std::move(error);
  end_attempt(std::move(ending));
}

void Client::on_timer() {
  const TimePoint now = loop().refresh_now();
  if (deadline_ && *deadline_ <= now) {
    deadline_ = std::nullopt;
    if (state_ == State::waiting) return open();
    if (session_.wants_close()) return end_drained_or_not();
    if (state_ == State::open)
      return end_attempt(
          Ending{.kind = Ending::Kind::connack_timeout, .peer = peer(), .first_bytes = first_bytes()});
  }
  if (state_ == State::open) session_.on_time(now, handler_);
  turn_end_.request();
}

/// The server had drain_timeout to close, or to take more of what we have.
void Client::end_drained_or_not() {
  if (!session_.output().empty())
    unusual_.make().write_error = Error{ErrorDomain::timeout, 0, "the server stopped taking what was sent"};
  end_attempt(ending_of_session());
}

void Client::at_turn_end() {
  if (unusual_->over) {
    const Ending ending = *std::exchange(unusual_.make().over, std::nullopt);
    return handler_.on_ended(ending);
  }
  if (!stream_) return;
  const bool had_output = !session_.output().empty();
  write_output();
  if (!stream_) return;
  if (session_.wants_close() && state_ == State::open) begin_closing();
  if (!stream_) return;
  arm_timer();
  if (had_output && session_.output().empty() && state_ == State::open) handler_.on_output_drained();
}

void Client::write_output() {
  if (session_.output().empty() || write_blocked_) return;
  if (handler_.may_write()) return write_parts();
  leaving_ = true;
  end_attempt(Ending{.kind = Ending::Kind::finished});
}

void Client::write_parts() {
  OutBuffer& output = session_.output();
  std::array<iovec, gathered_parts> parts;
  while (!output.empty() && !write_blocked_) {
    const std::size_t count = output.gather(parts);
    std::size_t offered = 0;
    for (const iovec& part : std::span{parts}.first(count)) offered += part.iov_len;
    auto taken = stream_->write(std::span{parts}.first(count));
    if (!taken) {
      // What the server said before it hung up is still to be read, and tells why: on_end() or
      // on_error() follows.
      unusual_.make().write_error = std::move(taken.error());
      if (reading_paused_) stream_->resume_reading();
      return output.clear();
    }
    output.consume(*taken);
    session_.on_written(loop().now());
    write_blocked_ = *taken < offered;
    if (session_.wants_close() && *taken > 0) deadline_ = loop().now() + drain_timeout;
  }
}

void Client::begin_closing() {
  if (!deadline_) deadline_ = loop().now() + drain_timeout;
  if (!session_.output().empty()) return;  // the peer is slow: on_writable() brings us back, or the deadline
  const CloseReason reason = session_.close_info()->reason;
  if (reason == CloseReason::refused || reason == CloseReason::peer_disconnect)
    return end_attempt(ending_of_session());
  state_ = State::closing;
  stream_->shutdown();
}

void Client::arm_timer() {
  const Deadline session_deadline = state_ == State::open ? session_.next_deadline() : std::nullopt;
  timer_.set(earlier(deadline_, session_deadline));
}

void Client::end_attempt(Ending ending) {
  if (retrying_ && made_progress()) retrying_->backoff.reset();
  drop_connection();
  ending.had_connected = has_connected_;
  // A server that refused us would do so again, and has no session of ours.
  if (ending.kind == Ending::Kind::refused && !has_connected_) session_owed_ = false;
  if (unusual_->goodbye_due)
    return finish(Ending{.kind = Ending::Kind::finished, .had_connected = has_connected_});
  if (leaving_) return finish(std::move(ending));
  if (falls_back(ending)) {
    fell_back_ = true;
    return open();
  }
  const bool retries = (follows(ending) || retry_may_help(ending) || token_may_help(ending) ||
                        options_->reconnect.whatever_comes) &&
                       (has_connected_ || options_->reconnect.first_too);
  const auto delay = retries && retrying_ ? retrying_->backoff.next() : std::nullopt;
  if (!delay) return finish(std::move(ending));
  state_ = State::waiting;
  token_used_ = true;
  const Duration wait = std::max(*delay, std::exchange(retrying_->away, Duration::zero()));
  deadline_ = loop().now() + wait;
  timer_.set(deadline_);
  handler_.on_lost(ending, wait);
}

void Client::finish(Ending ending) {
  state_ = State::over;
  if (std::exchange(session_owed_, false)) return end_session(std::move(ending));
  unusual_.make().over = std::move(ending);
  turn_end_.request();
}

/// How that goes changes nothing of how the client ended.
void Client::end_session(Ending ending) {
  unusual_.make().session_end = std::make_unique<SessionEnd>(
      loop(), own_options(), [this, ending = std::move(ending)](const Ending& visit) {
        if (visit.kind != Ending::Kind::finished) handler_.on_session_left(visit);
        unusual_.make().over = ending;
        turn_end_.request();
      });
}

void Client::drop_connection() {
  session_.on_transport_closed(loop().now());
  stream_.reset();
  if (attempt_) attempt_.make().opening.reset();
  if (unusual_->renewal) unusual_->renewal->stop();
  timer_.cancel();
  deadline_ = std::nullopt;
}

void Client::pause_reading() {
  reading_paused_ = true;
  if (!was_connected_ || !stream_) return;  // CONNACK has to be read
  session_.pause_reading(loop().now());
  stream_->pause_reading();
  turn_end_.request();  // for the timer
}

void Client::resume_reading() {
  if (!std::exchange(reading_paused_, false)) return;
  session_.resume_reading(loop().now());
  if (!stream_) return;
  stream_->resume_reading();
  turn_end_.request();
}

net::StreamProperties Client::stream_properties() const {
  return stream_ ? stream_->properties() : net::StreamProperties{};
}

}  // namespace mqtt
