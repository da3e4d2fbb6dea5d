#include "mqbench/clock_offset.hpp"

#include <algorithm>

namespace mq::bench {

void ClockEstimate::add(const ClockSample& sample) {
  const mqtt::Duration there = sample.answered - sample.heard;
  const mqtt::Duration on_the_way = (sample.came - sample.asked) - there;
  if (there < mqtt::Duration::zero() || on_the_way < mqtt::Duration::zero()) return;
  ++samples_;
  // Half an odd number of nanoseconds is the bound's, not the offset's.
  const ClockOffset found{((sample.heard - sample.asked) + (sample.answered - sample.came)) / 2,
                          (on_the_way + mqtt::Duration{1}) / 2 + mqtt::Duration{1}};
  if (!best_ || found.error < best_->error) best_ = found;
}

mqtt::Duration error_until(const ClockOffset& first, const ClockOffset& last) {
  const mqtt::Duration moved = last.offset - first.offset;
  return std::max(first.error, (moved < mqtt::Duration::zero() ? -moved : moved) + last.error);
}

}  // namespace mq::bench
