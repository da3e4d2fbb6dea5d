#pragma once
#include <mqtt/bridge/bridge.hpp>
#include <mqtt/net/loop.hpp>
#include <mqtt/server/throttle.hpp>

#include "common/diag.hpp"
#include "common/sentences.hpp"

namespace mq {

/// What happens to a bridge, as lines of the broker's log.
class BridgeLog final : public mqtt::bridge::BridgeEvents {
 public:
  /// Both outlive it.
  BridgeLog(mqtt::net::Loop& loop, Diag& diag, Where where)
      : loop_{loop}, diag_{diag}, where_{std::move(where)} {}

  void on_bridged(mqtt::Version version, std::string_view peer, bool session_present) override;
  void on_bridge_down(const mqtt::Ending& ending, mqtt::Duration delay) override;
  void on_subscription_refused(std::string_view filter, mqtt::ReasonCode code) override;
  void on_inner_connection_lost(const mqtt::Ending& ending) override;
  void on_dropped(mqtt::bridge::Way way, std::string_view topic, const mqtt::Error& why) override;
  void on_refused(mqtt::bridge::Way way, mqtt::ReasonCode reason) override;
  void on_no_room(mqtt::bridge::Way way) override;

 private:
  void tell(Severity severity, std::string_view event, Sentence sentence, const Diag::Fields& fields = {});

  mqtt::net::Loop& loop_;
  Diag& diag_;
  const Where where_;
  mqtt::server::Throttle drops_;
  mqtt::server::Throttle refusals_;
};

}  // namespace mq
