#pragma once
#include "common/options.hpp"
#include "mqbench/results_config.hpp"
#include "mqbench/scenario.hpp"

namespace mq::bench {

/// `config` must outlive parsing.
void declare_result_options(Options& options, ResultsConfig& config);

/// A threshold on what the scenario does not measure, as a sentence.
[[nodiscard]] std::optional<std::string> check_thresholds(const ResultsConfig& config,
                                                          const Scenario& scenario);

}  // namespace mq::bench
