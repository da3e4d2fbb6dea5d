#pragma once
#include <functional>

#include <mqtt/net/loop.hpp>

namespace mq {

/// Finds out when a server has sent all retained messages of new subscriptions. MQTT does not say: some
/// servers send them before they read on, others bit by bit, or as acknowledgements make room. So PINGREQ
/// follows SUBACK, and again each answer before which messages came. When an answer came without any, it
/// rests, asks once more, and is done if that brings none either.
class Snapshot {
 public:
  struct Callbacks {
    std::function<void()> ping;     ///< send PINGREQ, behind all acknowledgements
    std::function<void()> on_done;  ///< nothing more comes
  };

  Snapshot(mqtt::net::Loop& loop, Callbacks callbacks);

  /// All subscriptions are granted. Again after a reconnect.
  void begin();
  void on_retained();
  void on_pong();
  /// The connection was lost.
  void stop();

  /// The rest is as long as a few round trips, but not outside of these.
  static constexpr mqtt::Duration rest_min = std::chrono::milliseconds{100};
  static constexpr mqtt::Duration rest_max = std::chrono::seconds{1};

 private:
  void ping();

  mqtt::net::Loop& loop_;
  Callbacks callbacks_;
  mqtt::net::Timer rest_;
  mqtt::TimePoint pinged_at_{};
  bool waiting_ = false;  // for PINGRESP
  bool came_ = false;     // a retained message, since the last PINGREQ
  bool rested_ = false;   // the last PINGREQ followed a rest
};

}  // namespace mq
