#include <mqtt/client/token_renewal.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>

namespace mqtt::test {
namespace {

using namespace std::chrono_literals;

/// Gives the tokens that it holds, one for each fetch, in the turn after it; then nothing more.
class Tokens final : public TokenSource {
 public:
  explicit Tokens(std::deque<Result<Token>> tokens) : tokens_{std::move(tokens)} {}

  void fetch(net::Loop& loop, Done done) override {
    ++fetches;
    if (tokens_.empty()) return;
    timer_ = std::make_unique<net::Timer>(loop, [this, done = std::move(done)] {
      const Done tell = done;
      Result<Token> token = std::move(tokens_.front());
      tokens_.pop_front();
      tell(std::move(token));
    });
    timer_->set(loop.now());
  }
  void cancel() override {
    timer_.reset();
    ++cancellations;
  }

  int fetches = 0;
  int cancellations = 0;

 private:
  std::deque<Result<Token>> tokens_;
  std::unique_ptr<net::Timer> timer_;
};

/// A loop that ends by itself when a test has gone wrong.
struct Running {
  net::Loop loop;
  net::Timer end{loop, [this] {
                   late = true;
                   loop.stop();
                 }};
  bool late = false;

  void run(Duration at_most = 20s) {
    end.set(loop.refresh_now() + at_most);
    loop.run();
  }
};

Result<Token> failure() { return fail(ErrorDomain::system, 5, "no luck"); }

TEST(TokenRenewal, ComesAfterFourFifthsOrHalfAMinuteBeforeTheEnd) {
  EXPECT_EQ(renewal_delay(10s), 8s);
  EXPECT_EQ(renewal_delay(150s), 120s) << "where both are the same";
  EXPECT_EQ(renewal_delay(1h), 1h - 30s);
  EXPECT_EQ(renewal_delay(0s), 0s);
  EXPECT_EQ(renewal_delay(-1h), 0s);
}

TEST(TokenRenewal, TellsEachNewTokenBeforeTheOldOneEnds) {
  Running here;
  auto source = std::make_shared<Tokens>(std::deque<Result<Token>>{Token{"b", 500ms}, Token{"c", {}}});
  TokenRenewal renewal{here.loop, source, Token{"a", 500ms}, 1};
  const TimePoint began = here.loop.refresh_now();
  std::vector<std::string> seen;
  renewal.keep_fresh(
      [&](std::string token) {
        seen.push_back(std::move(token));
        if (seen.size() == 2) here.loop.stop();
      },
      [](const Error& error, Duration) { FAIL() << error.context; });
  here.run();
  EXPECT_EQ(seen, (std::vector<std::string>{"b", "c"}));
  EXPECT_GE(here.loop.now() - began, 800ms) << "two lives, but for their last fifths";
}

TEST(TokenRenewal, ATokenWithoutAnEndStays) {
  Running here;
  auto source = std::make_shared<Tokens>(std::deque<Result<Token>>{Token{"b", {}}});
  TokenRenewal renewal{here.loop, source, Token{"a", {}}, 1};
  renewal.keep_fresh([](const std::string&) { FAIL(); }, [](const Error&, Duration) { FAIL(); });
  here.run(50ms);
  EXPECT_EQ(source->fetches, 0);
}

TEST(TokenRenewal, FailuresAreToldAndTheAttemptRepeated) {
  Running here;
  auto source = std::make_shared<Tokens>(std::deque<Result<Token>>{failure(), Token{"b", 1h}});
  TokenRenewal renewal{here.loop, source, Token{"a", 0s}, 1};
  std::string why, token;
  renewal.keep_fresh(
      [&](std::string fresh) {
        token = std::move(fresh);
        here.loop.stop();
      },
      [&](const Error& error, Duration delay) {
        why = error.context;
        EXPECT_GE(delay, 1s);
      });
  here.run();
  EXPECT_EQ(why, "no luck");
  EXPECT_EQ(token, "b");
}

TEST(TokenRenewal, WhatIsNotNewOrAlreadyOverIsAFailure) {
  for (const Token& useless : {Token{"a", 1h}, Token{"b", -1s}}) {
    Running here;
    TokenRenewal renewal{here.loop, std::make_shared<Tokens>(std::deque<Result<Token>>{useless}),
                         Token{"a", 0s}, 1};
    std::string why;
    renewal.keep_fresh([](const std::string&) { FAIL(); },
                       [&](const Error& error, Duration) {
                         why = error.context;
                         renewal.stop();
                         here.loop.stop();
                       });
    here.run();
    EXPECT_FALSE(why.empty()) << useless.text;
    EXPECT_FALSE(here.late);
  }
}

TEST(TokenRenewal, AFetchHasADeadline) {
  Running here;
  auto source = std::make_shared<Tokens>(std::deque<Result<Token>>{});
  TokenRenewal renewal{here.loop, source, Token{"a", {}}, 1};
  bool timed_out = false;
  renewal.fetch(20ms, [&](Result<std::string> token) {
    timed_out = !token && token.error().code == ETIMEDOUT;
    here.loop.stop();
  });
  here.run();
  EXPECT_TRUE(timed_out);
  EXPECT_EQ(source->cancellations, 1);
}

TEST(TokenRenewal, NothingIsToldAfterStop) {
  Running here;
  auto source = std::make_shared<Tokens>(std::deque<Result<Token>>{Token{"b", {}}});
  TokenRenewal renewal{here.loop, source, Token{"a", {}}, 1};
  renewal.fetch(10ms, [](const Result<std::string>&) { FAIL(); });
  renewal.stop();
  here.run(50ms);
  EXPECT_EQ(source->fetches, 1);
}

}  // namespace
}  // namespace mqtt::test
