#pragma once
#include <optional>
#include <span>

#include "mqbench/results/stored_result.hpp"

namespace mq::bench::results {

/// What the parts' machines did. Segments are of each part's own connections and add up. Of parts on one
/// host, what was throttled counts once, the most of it, and adds up over hosts; of shares the largest stands
/// for all. Nothing if no part tells.
[[nodiscard]] std::optional<StoredActivity> merge_activity(std::span<const StoredResult> parts);

}  // namespace mq::bench::results
