#include "mqsub/snapshot.hpp"

#include <algorithm>

namespace mq {

Snapshot::Snapshot(mqtt::net::Loop& loop, Callbacks callbacks)
    : loop_{loop}, callbacks_{std::move(callbacks)}, rest_{loop, [this] {
                                                             rested_ = !came_;
                                                             ping();
                                                           }} {}

void Snapshot::begin() {
  stop();
  rested_ = false;
  ping();
}

void Snapshot::stop() {
  rest_.cancel();
  waiting_ = false;
}

void Snapshot::ping() {
  came_ = false;
  waiting_ = true;
  pinged_at_ = loop_.now();
  callbacks_.ping();
}

void Snapshot::on_retained() { came_ = true; }

void Snapshot::on_pong() {
  if (!waiting_) return;  // the answer to a keep-alive
  waiting_ = false;
  if (came_) {
    rested_ = false;
    return ping();
  }
  if (rested_) return callbacks_.on_done();
  const mqtt::Duration round_trip = loop_.now() - pinged_at_;
  rest_.set(loop_.now() + std::clamp<mqtt::Duration>(4 * round_trip, rest_min, rest_max));
}

}  // namespace mq
