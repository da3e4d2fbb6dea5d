#pragma once
#include "common/connect_options.hpp"
#include "common/options.hpp"
#include "mqbench/results_config.hpp"
#include "mqbench/scenario.hpp"

namespace mq::bench {

/// `config` must outlive parsing.
void declare_result_options(Options& options, ResultsConfig& config);

/// What the broker of --self does not do, as a sentence.
[[nodiscard]] std::optional<std::string> check_self(const ResultsConfig& config,
                                                    const ConnectionConfig& connection);

/// A threshold on what the scenario does not measure, as a sentence.
[[nodiscard]] std::optional<std::string> check_thresholds(const ResultsConfig& config,
                                                          const Scenario& scenario);

}  // namespace mq::bench
