#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/options.hpp"
#include "mqbench/options.hpp"

namespace mq::bench {

/// Of the options that only `search` has.
inline constexpr std::string_view search_group = "Search";

/// `config` must outlive parsing.
void declare_search_options(Options& options, BenchConfig& config);

/// After the scenario was chosen: joins what was typed into config.search. A sentence if that cannot be
/// searched.
[[nodiscard]] std::optional<std::string> choose_search(BenchConfig& config);

}  // namespace mq::bench
