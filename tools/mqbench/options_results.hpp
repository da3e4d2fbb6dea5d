#pragma once
#include "common/options.hpp"
#include "mqbench/results_config.hpp"

namespace mq::bench {

/// `config` must outlive parsing.
void declare_result_options(Options& options, ResultsConfig& config);

}  // namespace mq::bench
