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

/// Joins what was typed into config.verification, and refuses what only other commands have. A sentence if
/// that cannot run.
[[nodiscard]] std::optional<std::string> choose_verification(const Options& options, BenchConfig& config);

/// The first option of the group that was given.
[[nodiscard]] std::optional<std::string> option_of_group(const Options& options, std::string_view group);

}  // namespace mq::bench
