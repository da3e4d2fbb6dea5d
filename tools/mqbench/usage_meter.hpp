#pragma once
#include <optional>
#include <string>
#include <vector>

#include "mqbench/process_usage.hpp"

namespace mq::bench {

/// What this process and the broker have used since the last look.
struct Usage {
  double tool_cpu = 0;  ///< processors that were busy with it, 1.5 for instance
  std::optional<double> broker_cpu;
  std::optional<ProcessSample> broker;  ///< as it is now
};

class UsageMeter {
 public:
  explicit UsageMeter(std::vector<pid_t> broker) : broker_{std::move(broker)} {}

  /// The first one says nothing: it is what the next one is measured from.
  Usage look(mqtt::TimePoint now);
  /// Why the broker is no longer seen; once.
  [[nodiscard]] std::optional<std::string> take_fault() { return broker_.take_fault(); }

 private:
  WatchedProcesses broker_;
  mqtt::Deadline before_;
  mqtt::Duration tool_before_{};
  std::optional<mqtt::Duration> broker_before_;
};

}  // namespace mq::bench
