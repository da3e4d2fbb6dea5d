#include "mqbench/second_recorder.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "mqbench/measurements.hpp"

namespace mq::bench {

void SecondRecorder::turn(mqtt::Duration since_start) {
  if (since_start < end_) return;
  const std::size_t second = PerSecond::second_of(since_start);
  if (second == second_) return;  // the last one gathers what comes later
  hand_over(second);
  second_ = second;
  end_ = std::chrono::seconds{second + 1};
}

void SecondRecorder::end() { hand_over(std::numeric_limits<std::size_t>::max()); }

void SecondRecorder::hand_over(std::size_t reached) {
  std::optional<Histogram> over;
  const bool some = latency_.count() > 0;
  if (some) over = std::exchange(latency_, Histogram{});
  const std::lock_guard lock{mutex_};
  handed_over_.reached = reached;
  if (!some) return;
  if (handed_over_.seconds.size() >= waiting_max) over.reset();
  handed_over_.seconds.push_back({second_, std::move(over)});
}

SecondRecorder::Taken SecondRecorder::take() {
  const std::lock_guard lock{mutex_};
  return {std::exchange(handed_over_.seconds, {}), handed_over_.reached};
}

}  // namespace mq::bench
