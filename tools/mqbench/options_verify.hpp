#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/options.hpp"
#include "mqbench/options.hpp"

namespace mq::bench {

/// Of the options that only `verify` has.
inline constexpr std::string_view verification_group = "Verification";

/// `scenario` must outlive parsing.
void declare_verify_options(Options& options, VerifyScenario& scenario);

/// Joins what was typed into config.verification. A sentence if that cannot run.
[[nodiscard]] std::optional<std::string> choose_verification(const Options& options, BenchConfig& config);

}  // namespace mq::bench
