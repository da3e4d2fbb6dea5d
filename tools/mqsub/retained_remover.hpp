#pragma once
#include <cstdint>
#include <deque>
#include <string>

#include <mqtt/session/client_session.hpp>

#include "common/diag.hpp"

namespace mq {

/// Clears retained messages on the server: an empty one, retained, to each topic (3.3.1.3), at QoS 1, so
/// that the server says whether it did. Topics wait until the server's window has room for them.
class RetainedRemover {
 public:
  enum class Mode : std::uint8_t { remove, dry_run };

  RetainedRemover(Mode mode, Diag& diag) : mode_{mode}, diag_{diag} {}

  /// A message with the retain flag; one without payload is nothing that is kept.
  void on_retained(const mqtt::PublishView& message);
  /// Sends what there is room for.
  void pump(mqtt::ClientSession& session, mqtt::TimePoint now);
  void on_published(mqtt::PacketId id, mqtt::ReasonCode reason, mqtt::PropertiesView properties);

  /// Nothing waits, for room or for an answer.
  [[nodiscard]] bool idle() const { return waiting_.empty() && in_flight_.empty(); }
  [[nodiscard]] bool any_failed() const { return failed_; }
  /// "3 retained messages removed"
  [[nodiscard]] std::string account() const;

 private:
  struct InFlight {
    mqtt::PacketId id;
    std::string topic;
  };

  Mode mode_;
  Diag& diag_;
  std::deque<std::string> waiting_;
  std::deque<InFlight> in_flight_;
  std::uint64_t count_ = 0;
  bool failed_ = false;
};

}  // namespace mq
