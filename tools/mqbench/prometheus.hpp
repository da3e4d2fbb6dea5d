#pragma once
#include <string>
#include <string_view>

#include "mqbench/live_state.hpp"

namespace mq::bench {

/// Of the values that differ between two runs at one place.
struct RunLabels {
  std::uint32_t run = 0;
  std::string shard = {};  ///< "1/3"; empty: the run has no others
};

/// What is known of a run, in the text format of Prometheus, version 0.0.4. Times are seconds. Latencies are
/// those of complete seconds: a histogram of all, to be added up over shards, and percentiles of the last
/// one.
[[nodiscard]] std::string prometheus_text(const LiveState& state, const RunLabels& labels);

}  // namespace mq::bench
