#include "mqbench/usage_meter.hpp"

namespace mq::bench {

Usage UsageMeter::look(mqtt::TimePoint now) {
  using Seconds = std::chrono::duration<double>;
  Usage usage{.broker_cpu = {}, .broker = broker_.sample()};
  const mqtt::Duration tool = own_cpu();
  if (before_ && now > *before_) {
    const Seconds elapsed = now - *before_;
    usage.tool_cpu = (tool - tool_before_) / elapsed;
    if (usage.broker && broker_before_) usage.broker_cpu = (usage.broker->cpu - *broker_before_) / elapsed;
  }
  before_ = now;
  tool_before_ = tool;
  broker_before_ = usage.broker ? std::optional{usage.broker->cpu} : std::nullopt;
  return usage;
}

}  // namespace mq::bench
