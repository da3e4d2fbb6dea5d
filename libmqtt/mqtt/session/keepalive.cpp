#include <mqtt/session/keepalive.hpp>

#include <algorithm>

namespace mqtt {

void ClientKeepAlive::start(TimePoint now, std::uint16_t seconds) {
  running_ = true;
  interval_ = std::chrono::seconds{seconds};
  last_sent_ = last_received_ = last_ping_ = last_progress_ = now;
  pings_outstanding_ = 0;
  ping_end_ = 0;
}

void ClientKeepAlive::stop() {
  running_ = false;
  pings_outstanding_ = 0;
}

void ClientKeepAlive::written(TimePoint now, std::uint64_t octets) {
  if (ping_end_ != 0 && octets > written_octets_) last_progress_ = now;
  if (octets >= ping_end_) ping_end_ = 0;
  written_octets_ = octets;
}

void ClientKeepAlive::ping_sent(TimePoint now, std::size_t in_front, std::uint64_t end) {
  last_ping_ = now;
  ping_end_ = in_front > 0 ? end : 0;
  ++pings_outstanding_;
}

void ClientKeepAlive::pause(TimePoint now) {
  paused_ = true;
  last_ping_ = std::max(last_ping_, now);
}

void ClientKeepAlive::resume(TimePoint now) {
  paused_ = false;
  last_received_ = std::max(last_received_, now);
}

bool ClientKeepAlive::ping_due(TimePoint now) const {
  const Deadline at = ping_at();
  return at && now >= *at;
}

bool ClientKeepAlive::timed_out(TimePoint now) const {
  const Deadline at = timeout_at();
  return at && now >= *at;
}

Deadline ClientKeepAlive::next_deadline() const { return earlier(ping_at(), timeout_at()); }

Deadline ClientKeepAlive::ping_at() const {
  if (!running_ || interval_ == Duration{}) return std::nullopt;
  // Unanswered as far as one can see; the server still wants to hear of us.
  if (paused_) return std::max(last_sent_, last_ping_) + interval_ - interval_ / 10;
  if (pings_outstanding_ > 0) return std::nullopt;
  // A tenth early: the packet has to arrive within the interval [MQTT-3.1.2-20], and timers are late.
  return std::min(last_sent_, last_received_) + interval_ - interval_ / 10;
}

Deadline ClientKeepAlive::timeout_at() const {
  if (!running_ || paused_ || pings_outstanding_ == 0 || ping_timeout_ == Duration{}) return std::nullopt;
  return std::max({last_ping_, last_received_, last_progress_}) + ping_timeout_;
}

}  // namespace mqtt
