#pragma once
#include <cstdint>
#include <optional>

#include <mqtt/client/ending.hpp>
#include <mqtt/util/time.hpp>

namespace mqtt {

/// When to try again after a connection failed or was lost.
struct ReconnectPolicy {
  bool enabled = false;
  bool first_too = true;                   ///< also before the first connection was accepted
  bool whatever_comes = false;             ///< even if retry_may_help() says no: for who has no better idea
  std::optional<std::uint32_t> retry_max;  ///< attempts in a row without success; none: for ever
  Duration min = std::chrono::milliseconds{500};
  Duration max = std::chrono::seconds{30};
};

/// Exponential back-off with full jitter: after the n-th failure in a row the delay is uniform between
/// `min` and min(max, min * 2^n), so that a thousand clients of one broker do not come back together. It is
/// small: most clients never need it.
class Backoff {
 public:
  Backoff(ReconnectPolicy policy, std::uint64_t seed) : policy_{policy}, seed_{seed} {}

  /// The delay before the next attempt; nothing when the policy allows no more.
  [[nodiscard]] std::optional<Duration> next();
  /// A connection was of use: the next failure is the first again.
  void reset() { failures_ = 0; }

 private:
  ReconnectPolicy policy_;
  std::uint64_t seed_;  // of the next delay
  std::uint32_t failures_ = 0;
};

/// Whether another attempt can end differently. Not after bad credentials, a ban, a refused identifier
/// or version, a failed certificate, a take-over by another client with our id, or a protocol error.
[[nodiscard]] bool retry_may_help(const Ending& ending);

}  // namespace mqtt
