#pragma once
#include <fmt/format.h>

#include "broker_test.hpp"

namespace mqtt::test {

/// Eight messages for a client, two in flight.
inline broker::BrokerConfig small_queues(broker::SlowConsumer policy = broker::SlowConsumer::drop) {
  broker::BrokerConfig config;
  config.limits.queued_messages = 8;
  config.limits.in_flight = 2;
  config.slow_consumer = policy;
  return config;
}

/// A reader `r` that does not acknowledge, and a publisher `p`.
struct Pair {
  explicit Pair(broker::BrokerConfig config, Version publishers = Version::v5)
      : rig{std::move(config)}, r{rig}, p{rig, publishers} {
    r.acknowledges = false;
    r.enter("id=r clean session_expiry_interval=1000");
    r.subscribe("t:1");
    p.enter("id=p clean");
  }
  void publish(int first, int last, int qos = 1) {
    for (int i = first; i <= last; ++i)
      p.queue(qos == 0 ? fmt::format("PUBLISH t=t p={}", i)
                       : fmt::format("PUBLISH q=1 id={} t=t p={}", i, i));
    rig.run();
  }
  /// The reader acknowledges all that it has and all that follows.
  void catch_up() {
    r.acknowledges = true;
    for (int i = 1; i <= 2; ++i) r.queue(fmt::format("PUBACK id={}", i));
    rig.run();
  }
  Rig rig;
  Client r, p;
};

}  // namespace mqtt::test
