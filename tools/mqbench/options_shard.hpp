#pragma once
#include "common/options.hpp"
#include "mqbench/shard_config.hpp"

namespace mq::bench {

/// Which part of a run this process has, and where it meets the others. `config` must outlive parsing.
void declare_shard_options(Options& options, ShardConfig& config);

}  // namespace mq::bench
