#include <mqtt/client/reconnect.hpp>

#include <gtest/gtest.h>

#include <algorithm>

namespace mqtt::test {
namespace {

using namespace std::chrono_literals;

TEST(Backoff, GrowsWithFullJitterUpToItsCap) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Backoff backoff{{.enabled = true, .retry_max = std::nullopt, .min = 100ms, .max = 1s}, seed};
    const Duration ceilings[] = {200ms, 400ms, 800ms, 1s, 1s, 1s};
    for (const Duration ceiling : ceilings) {
      const auto delay = backoff.next();
      ASSERT_TRUE(delay);
      EXPECT_GE(*delay, 100ms);
      EXPECT_LE(*delay, ceiling);
    }
  }
}

TEST(Backoff, ThousandClientsDoNotComeBackTogether) {
  std::vector<Duration> delays;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Backoff backoff{{.enabled = true, .retry_max = std::nullopt, .min = 100ms, .max = 30s}, seed};
    for (int i = 0; i < 5; ++i) (void)backoff.next();
    delays.push_back(*backoff.next());
  }
  std::ranges::sort(delays);
  EXPECT_LT(delays[100], 1200ms) << "a tenth comes back in the first tenth of the time";
  EXPECT_GT(delays[900], 5s) << "and a tenth in the last";
}

TEST(Backoff, CountsFailuresInARow) {
  Backoff backoff{{.enabled = true, .retry_max = 2, .min = 1ms, .max = 1ms}, 1};
  EXPECT_TRUE(backoff.next());
  EXPECT_TRUE(backoff.next());
  EXPECT_FALSE(backoff.next());
  backoff.reset();
  EXPECT_TRUE(backoff.next());
}

TEST(Backoff, NeverWhenTurnedOff) {
  Backoff backoff{{}, 1};
  EXPECT_FALSE(backoff.next());
}

TEST(Backoff, ManyFailuresDoNotOverflow) {
  Backoff backoff{{.enabled = true, .retry_max = std::nullopt, .min = 1ns, .max = 24h * 365}, 1};
  for (int i = 0; i < 10'000; ++i) {
    const auto delay = backoff.next();
    ASSERT_TRUE(delay);
    ASSERT_GE(*delay, 1ns);
    ASSERT_LE(*delay, 24h * 365);
  }
}

Ending refused(ReasonCode code) {
  Ending ending{.kind = Ending::Kind::refused};
  ending.close.code = code;
  return ending;
}

TEST(RetryMayHelp, NotAfterRefusalsThatTimeDoesNotCure) {
  for (const auto code :
       {ReasonCode::bad_user_name_or_password, ReasonCode::not_authorized, ReasonCode::banned,
        ReasonCode::client_identifier_not_valid, ReasonCode::unsupported_protocol_version,
        ReasonCode::bad_authentication_method, ReasonCode::packet_too_large})
    EXPECT_FALSE(retry_may_help(refused(code))) << static_cast<int>(code);
  for (const auto code : {ReasonCode::server_unavailable, ReasonCode::server_busy,
                          ReasonCode::connection_rate_exceeded, ReasonCode::quota_exceeded})
    EXPECT_TRUE(retry_may_help(refused(code))) << static_cast<int>(code);
}

TEST(RetryMayHelp, NotAfterATakeOver) {
  Ending ending{.kind = Ending::Kind::peer_disconnect};
  ending.close.code = ReasonCode::session_taken_over;
  EXPECT_FALSE(retry_may_help(ending));
  ending.close.code = ReasonCode::server_shutting_down;
  EXPECT_TRUE(retry_may_help(ending));
}

TEST(RetryMayHelp, NotAfterACertificateIsRefused) {
  Ending ending{.kind = Ending::Kind::open_failed,
                .error = {ErrorDomain::tls, 10, "certificate has expired"}};
  EXPECT_FALSE(retry_may_help(ending));
  ending.error = {ErrorDomain::system, 111, "connection refused"};
  EXPECT_TRUE(retry_may_help(ending));
  ending.error = {ErrorDomain::websocket, 404, "not found"};
  EXPECT_FALSE(retry_may_help(ending));
  ending.error = {ErrorDomain::websocket, 503, "unavailable"};
  EXPECT_TRUE(retry_may_help(ending));
  EXPECT_FALSE(retry_may_help(Ending{.kind = Ending::Kind::protocol_error}));
  EXPECT_TRUE(retry_may_help(Ending{.kind = Ending::Kind::connection_lost}));
}

}  // namespace
}  // namespace mqtt::test
