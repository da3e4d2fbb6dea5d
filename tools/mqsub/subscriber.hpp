#pragma once
#include <optional>
#include <string>
#include <vector>

#include <mqtt/session/client_session.hpp>

#include "common/diag.hpp"
#include "mqsub/options.hpp"

namespace mq {

/// Subscribes to a list of filters in as few packets as the server's Maximum Packet Size allows, and
/// judges the answers.
class Subscriber {
 public:
  enum class Outcome { waiting, granted, refused };

  /// Both must outlive it.
  Subscriber(const SubConfig& config, Diag& diag) : config_{config}, diag_{diag} {}

  /// Queues the requests, all anew. Says refused, and why on stderr, if the server cannot grant one.
  [[nodiscard]] Outcome subscribe(mqtt::ClientSession& session, mqtt::TimePoint now);
  /// Says what was refused or granted lower. `refused` is for all filters, or any unless a part is enough.
  [[nodiscard]] Outcome on_subscribed(mqtt::PacketId id, const mqtt::SubackView& suback);

 private:
  [[nodiscard]] mqtt::PropertiesView properties() const;

  struct Request {
    mqtt::PacketId id;
    std::size_t first;  // index of its first filter
  };

  [[nodiscard]] std::size_t filters_that_fit(std::size_t first, std::size_t max_packet_size) const;
  void judge(std::size_t index, mqtt::ReasonCode code, mqtt::PropertiesView properties);

  const SubConfig& config_;
  Diag& diag_;
  std::vector<Request> requests_;  // not answered yet
  std::size_t refused_ = 0;
};

}  // namespace mq
