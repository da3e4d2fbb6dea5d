#include <mqtt/client/token_renewal.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace mqtt {
namespace {

constexpr ReconnectPolicy attempts{.enabled = true,
                                   .retry_max = std::nullopt,
                                   .min = std::chrono::seconds{1},
                                   .max = std::chrono::seconds{30}};

}  // namespace

Duration renewal_delay(Duration life) {
  constexpr Duration margin = std::chrono::seconds{30};
  return std::max({life / 5 * 4, life - margin, Duration::zero()});
}

TokenRenewal::TokenRenewal(net::Loop& loop, std::shared_ptr<TokenSource> source, Token token,
                           std::uint64_t jitter_seed)
    : loop_{loop},
      source_{std::move(source)},
      timer_{loop, [this] { on_timer(); }},
      backoff_{attempts, jitter_seed} {
  use(std::move(token));
}

void TokenRenewal::use(Token token) {
  const TimePoint now = loop_.refresh_now();
  token_ = std::move(token.text);
  ends_ = token.life ? Deadline{now + *token.life} : std::nullopt;
  renew_at_ = token.life ? Deadline{now + renewal_delay(*token.life)} : std::nullopt;
}

void TokenRenewal::fetch(Duration timeout, Fetched done) {
  timer_.set(loop_.refresh_now() + timeout);
  done_ = std::move(done);
  source_->fetch(loop_, [this](Result<Token> token) { on_fetched(std::move(token)); });
}

void TokenRenewal::on_timer() {
  if (!done_) return renew();
  source_->cancel();
  on_fetched(fail(ErrorDomain::system, ETIMEDOUT, "no token came in time"));
}

void TokenRenewal::on_fetched(Result<Token> token) {
  timer_.cancel();
  const Fetched done = std::exchange(done_, nullptr);
  if (!token) return done(std::unexpected(std::move(token.error())));
  const bool same = token->text == token_;
  if (!same) use(std::move(*token));
  done(token_);
}

void TokenRenewal::keep_fresh(Renewed renewed, Failed failed) {
  renewed_ = std::move(renewed);
  failed_ = std::move(failed);
  timer_.set(renew_at_);
}

void TokenRenewal::renew() {
  fetch(fetch_timeout, [this, old = token_](Result<std::string> token) {
    if (token && *token == old)
      token = fail(ErrorDomain::authentication, 0, "there is only the one that ends");
    else if (token && ends_ && *ends_ <= loop_.now())
      token = fail(ErrorDomain::authentication, 0, "the new one has ended already");
    on_renewal(std::move(token));
  });
}

void TokenRenewal::on_renewal(Result<std::string> token) {
  if (!token) {
    const Duration delay = backoff_.next().value_or(attempts.max);
    timer_.set(loop_.now() + delay);
    const Failed tell = failed_;  // it may call stop()
    return tell(token.error(), delay);
  }
  backoff_.reset();
  timer_.set(renew_at_);
  const Renewed tell = renewed_;
  tell(std::move(*token));
}

void TokenRenewal::stop() {
  source_->cancel();
  timer_.cancel();
  done_ = nullptr;
  renewed_ = nullptr;
  failed_ = nullptr;
}

}  // namespace mqtt
