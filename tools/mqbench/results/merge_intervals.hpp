#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mqbench/results/stored_result.hpp"

namespace mq::bench::results {

/// The machine that a part was measured on. A merged part may have several, and is one of its own.
[[nodiscard]] std::string host_of(const StoredResult& part);

/// The seconds of all, counted from `start`, the earliest of their starts.
[[nodiscard]] std::vector<StoredInterval> merge_intervals(std::span<const StoredResult> parts,
                                                          WallTime start);

}  // namespace mq::bench::results
