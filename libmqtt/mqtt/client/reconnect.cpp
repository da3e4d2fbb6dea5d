#include <mqtt/client/reconnect.hpp>

#include <algorithm>
#include <cerrno>
#include <random>

namespace mqtt {
namespace {

/// Reasons of CONNACK and DISCONNECT that say "later"; all others say "not like this".
bool passes_with_time(ReasonCode reason) {
  switch (reason) {
    case ReasonCode::normal_disconnection:
    case ReasonCode::unspecified_error:
    case ReasonCode::implementation_specific_error:
    case ReasonCode::server_unavailable:
    case ReasonCode::server_busy:
    case ReasonCode::server_shutting_down:
    case ReasonCode::keep_alive_timeout:
    case ReasonCode::message_rate_too_high:
    case ReasonCode::quota_exceeded:
    case ReasonCode::administrative_action:
    case ReasonCode::connection_rate_exceeded:
    case ReasonCode::maximum_connect_time: return true;
    default: return false;
  }
}

bool open_may_help(const Error& error) {
  switch (error.domain) {
    case ErrorDomain::tls: return error.code == 0;
    case ErrorDomain::websocket: return error.code == 0 || error.code >= 500;
    case ErrorDomain::proxy: return error.code != EACCES && error.code != EPROTO && error.code != EINVAL;
    case ErrorDomain::url:
    case ErrorDomain::session: return false;
    default: return true;
  }
}

}  // namespace

std::optional<Duration> Backoff::next() {
  if (!policy_.enabled) return std::nullopt;
  if (policy_.retry_max && failures_ >= *policy_.retry_max) return std::nullopt;
  ++failures_;
  constexpr std::uint32_t doublings_max = 30;  // beyond any cap, and far from overflow below
  Duration ceiling = policy_.min;
  for (std::uint32_t i = 0; i < std::min(failures_, doublings_max) && ceiling < policy_.max; ++i)
    ceiling *= 2;
  ceiling = std::max(policy_.min, std::min(ceiling, policy_.max));
  std::mt19937_64 random{seed_};  // 2.5 KiB, made where one is needed
  seed_ = random();
  return Duration{std::uniform_int_distribution<Duration::rep>{policy_.min.count(), ceiling.count()}(random)};
}

bool retry_may_help(const Ending& ending) {
  switch (ending.kind) {
    case Ending::Kind::open_failed: return open_may_help(ending.error);
    case Ending::Kind::refused:
    case Ending::Kind::peer_disconnect: return passes_with_time(ending.close.code);
    case Ending::Kind::connack_timeout:
    case Ending::Kind::ping_timeout:
    case Ending::Kind::auth_timeout:
    case Ending::Kind::connection_lost: return true;
    case Ending::Kind::finished:
    case Ending::Kind::bad_options:
    case Ending::Kind::authentication_failed:
    case Ending::Kind::protocol_error: return false;
  }
  return false;
}

}  // namespace mqtt
