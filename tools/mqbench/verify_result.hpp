#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/wall_time.hpp"
#include "mqbench/verify_scenario.hpp"
#include "mqbench/verify_tally.hpp"

namespace mq::bench {

/// One publisher's messages at one subscriber.
struct VerifiedStream {
  std::string publisher;
  std::string subscriber;
  mqtt::QoS qos = mqtt::QoS::at_most_once;    ///< what is promised from end to end
  mqtt::QoS asked = mqtt::QoS::at_most_once;  ///< what was asked for: a broker may grant less (3.9.3)
  StreamJudgement judged;
};

struct VerifiedPublisher {
  std::string name;
  mqtt::QoS qos = mqtt::QoS::at_most_once;
  std::uint64_t sent = 0;
  std::uint64_t acked = 0;
  std::uint64_t acked_late = 0;
  std::uint64_t refused = 0;  ///< by a reason code of 0x80 or above
  std::uint64_t unacked = 0;  ///< never answered, although its session was kept
};

/// What one client's connections have been through.
struct VerifiedClient {
  std::string name;
  std::uint64_t connections_lost = 0;     ///< not by a fault of ours
  std::uint64_t sessions_lost = 0;        ///< it came back in time, and the server had no session
  std::uint64_t half_closes_ignored = 0;  ///< the server did not end what we had ended
};

struct VerifyResult {
  VerifyScenario scenario;
  std::uint32_t run = 0;
  std::string command_line;
  std::string broker;
  std::string version;  ///< of the protocol
  WallTime started;
  WallTime ended;
  bool interrupted = false;
  std::vector<VerifiedPublisher> publishers;
  std::vector<VerifiedStream> streams;
  std::vector<VerifiedClient> clients;
  std::array<std::uint64_t, fault_kinds> faults{};
  std::uint64_t foreign = 0;
  std::uint64_t sessions_left = 0;  ///< that could not be ended

  /// All streams whose promise is of this QoS.
  [[nodiscard]] StreamCounts total(mqtt::QoS qos) const;
  [[nodiscard]] VerifiedPublisher total() const;
  [[nodiscard]] VerifiedClient connections() const;
  [[nodiscard]] std::uint64_t all_faults() const;
  /// A sentence for each promise that was broken, and by whom: empty if all were kept.
  [[nodiscard]] std::vector<std::string> broken() const;
};

/// For people: who broke what, in ten seconds.
[[nodiscard]] std::string as_text(const VerifyResult& result);
/// One JSON object and a line feed: mqbench-verify.schema.json.
[[nodiscard]] std::string as_json(const VerifyResult& result);

}  // namespace mq::bench
