#pragma once
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "mqbench/results/stored_result.hpp"

namespace mq::bench::results {

/// Whether results of different runs or scenarios may become one.
enum class MergeRule : std::uint8_t { one_run, any };

struct Merged {
  StoredResult result;
  std::vector<std::string> warnings;  ///< a sentence each
};

/// Adds up the parts of one run, exactly: counts, counters of histograms, and what happened in each second,
/// by their starts, to the nearest second: shards that met all say the first one's time of day. Rates come
/// anew from the first due and the last times; averages of percentiles come from nowhere. What the parts'
/// machine, broker and tool have in common is kept, the rest is in `parts`. A sentence if they do not belong
/// together, or one of them is there twice.
///
/// Processors that watched a broker on the same host have watched the same one: the largest of their values
/// counts, and those of several hosts add up. The worst verdict is that of all, and thresholds are judged anew
/// by the sums.
[[nodiscard]] std::expected<Merged, std::string> merge(std::span<const StoredResult> parts, MergeRule rule);

}  // namespace mq::bench::results
