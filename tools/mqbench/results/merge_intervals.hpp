#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "mqbench/results/stored_result.hpp"

namespace mq::bench::results {

/// The seconds of all, counted from `start`, the earliest of their starts.
[[nodiscard]] std::vector<StoredInterval> merge_intervals(std::span<const StoredResult> parts,
                                                          WallTime start);

}  // namespace mq::bench::results
