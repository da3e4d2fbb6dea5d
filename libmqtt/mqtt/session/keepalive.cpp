#include <mqtt/session/keepalive.hpp>

#include <algorithm>

namespace mqtt {

void ClientKeepAlive::start(TimePoint now, std::uint16_t seconds) {
  running_ = true;
  interval_s_ = seconds;
  last_sent_ = last_received_ = now;
  awaited_.reset();
}

void ClientKeepAlive::stop() {
  running_ = false;
  awaited_.reset();
}

void ClientKeepAlive::written(TimePoint now, std::uint64_t bytes) {
  if (!awaited_) return;
  Awaited& awaited = awaited_.make();
  if (awaited.ping_end != 0 && bytes > awaited.written_bytes) awaited.last_progress = now;
  if (bytes >= awaited.ping_end) awaited.ping_end = 0;
  awaited.written_bytes = bytes;
}

void ClientKeepAlive::ping_sent(TimePoint now, std::size_t in_front, std::uint64_t end) {
  constexpr std::uint64_t pingreq_bytes = 2;
  Awaited& awaited = awaited_.make();
  awaited.last_ping = now;
  awaited.ping_end = in_front > 0 ? end : 0;
  awaited.written_bytes = end - pingreq_bytes - in_front;
  ++awaited.pings;
}

void ClientKeepAlive::pong_received() {
  if (awaited_->pings == 0) return;
  if (--awaited_.make().pings == 0 && !paused_) awaited_.reset();
}

void ClientKeepAlive::pause(TimePoint now) {
  paused_ = true;
  awaited_.make().last_ping = std::max(awaited_->last_ping, now);
}

void ClientKeepAlive::resume(TimePoint now) {
  paused_ = false;
  last_received_ = std::max(last_received_, now);
  if (awaited_->pings == 0) awaited_.reset();
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
  if (!running_ || interval_s_ == 0) return std::nullopt;
  // Unanswered as far as one can see; the server still wants to hear of us.
  if (paused_) return std::max(last_sent_, awaited_->last_ping) + interval() * 9 / 10;
  if (awaited_->pings > 0) return std::nullopt;
  // A tenth early: the packet has to arrive within the interval [MQTT-3.1.2-20], and timers are late.
  return std::min(last_sent_, last_received_) + interval() * 9 / 10;
}

Deadline ClientKeepAlive::timeout_at() const {
  if (!running_ || paused_ || awaited_->pings == 0 || ping_timeout_ == Duration{}) return std::nullopt;
  return std::max({awaited_->last_ping, last_received_, awaited_->last_progress}) + ping_timeout_;
}

}  // namespace mqtt
