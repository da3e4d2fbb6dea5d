#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <mqtt/client/reconnect.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/util/error.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt {

/// What proves for a while who we are.
struct Token {
  std::string text;
  std::optional<Duration> life{};  ///< from now on, negative if that is over; nothing: nobody knows
};

/// Where the next token comes from.
class TokenSource {
 public:
  using Done = std::function<void(Result<Token>)>;

  virtual ~TokenSource() = default;
  /// Begins to fetch it; `done` comes from the loop, later. Not while another fetch is under way.
  virtual void fetch(net::Loop& loop, Done done) = 0;
  /// No `done` comes any more.
  virtual void cancel() = 0;
};

/// How long to use a token before the next one is fetched: four fifths of its life, or all but half a minute
/// of it, whichever is longer.
[[nodiscard]] Duration renewal_delay(Duration life);

/// Keeps a client's token fresh.
class TokenRenewal {
 public:
  using Fetched = std::function<void(Result<std::string>)>;
  using Renewed = std::function<void(std::string)>;
  using Failed = std::function<void(const Error&, Duration next_attempt)>;

  /// `life` is that of `token`, which is in use.
  TokenRenewal(net::Loop& loop, std::shared_ptr<TokenSource> source, Token token, std::uint64_t jitter_seed);
  ~TokenRenewal() { stop(); }
  TokenRenewal(const TokenRenewal&) = delete;
  TokenRenewal& operator=(const TokenRenewal&) = delete;

  /// Fetches a token now, whatever the one in use. `done` comes from the loop, within `timeout`.
  void fetch(Duration timeout, Fetched done);
  /// From now on fetches the next token before the one in use ends, if its end is known: `renewed` tells it.
  /// A failure is told, and the attempt repeated.
  void keep_fresh(Renewed renewed, Failed failed);
  /// Neither is called any more.
  void stop();

  /// A command may have to ask somebody far away.
  static constexpr Duration fetch_timeout = std::chrono::seconds{30};

 private:
  void on_timer();
  void on_fetched(Result<Token> token);
  void renew();
  void on_renewal(Result<std::string> token);
  void use(Token token);

  net::Loop& loop_;
  std::shared_ptr<TokenSource> source_;
  net::Timer timer_;  // of a fetch, or until the next
  Backoff backoff_;
  std::string token_;
  Deadline renew_at_;
  Deadline ends_;
  Fetched done_;  // of a fetch under way
  Renewed renewed_;
  Failed failed_;
};

}  // namespace mqtt
