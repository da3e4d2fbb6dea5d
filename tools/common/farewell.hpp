#pragma once
#include <mqtt/codec/property.hpp>
#include <mqtt/codec/reason.hpp>
#include <mqtt/codec/types.hpp>

#include "common/client_setup.hpp"
#include "common/connect_options.hpp"

namespace mq {

/// What our last DISCONNECT says.
class Farewell {
 public:
  /// `config` must outlive it.
  Farewell(const ConnectionConfig& config, const ClientSetup& setup)
      : config_{config}, ends_session_{setup.ends_session} {}

  /// Something is still owed to the session: the next run goes on with it.
  void keep_session() { ends_session_ = false; }

  /// After a signal (0: none) the will is published only if --will-on-exit asks for it.
  [[nodiscard]] mqtt::ReasonCode reason(int stop_signal) const;
  /// What -D says, and the end of a session that only reconnecting needed. Before MQTT 5 nothing.
  [[nodiscard]] mqtt::Properties properties(mqtt::Version version) const;

 private:
  const ConnectionConfig& config_;
  bool ends_session_;
};

}  // namespace mq
