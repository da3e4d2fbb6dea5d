#pragma once
#include <optional>
#include <string>

#include "common/options.hpp"
#include "mqbench/options.hpp"

namespace mq::bench {

/// What a run does, and for how long. `config` must outlive parsing.
void declare_load_options(Options& options, BenchConfig& config);

/// Reads the preset or file that was named, and lets the options change it. A sentence if that cannot run.
[[nodiscard]] std::optional<std::string> choose_scenario(const Options& options, BenchConfig& config);

}  // namespace mq::bench
