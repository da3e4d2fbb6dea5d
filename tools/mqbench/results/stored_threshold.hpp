#pragma once
#include "mqbench/results/stored_result.hpp"

namespace mq::bench::results {

/// The same expression, by what `result` has measured: missed if it has no such value, or its verdict is not
/// valid.
[[nodiscard]] StoredThreshold judge_again(const StoredThreshold& threshold, const StoredResult& result);

}  // namespace mq::bench::results
