#pragma once
#include <expected>
#include <string>
#include <vector>

#include "args.hpp"
#include "measure.hpp"

namespace load {

/// One report, or why there is none.
using Outcome = std::expected<Json, std::string>;

/// A subcommand. Every option has a default; the common ones are added by main.
struct Scenario {
  std::string_view name;
  std::string_view what;
  std::vector<Option> options;
  Outcome (*run)(const Args& args);
};

/// Publishers to subscribers, counted at the receiving side; also `slow` and `latency`, which are the
/// same with other defaults.
[[nodiscard]] std::vector<Scenario> flow_scenarios();
[[nodiscard]] Scenario idle_scenario();
/// `storm` (connect and disconnect, or take-overs) and `connects` (one after another).
[[nodiscard]] std::vector<Scenario> storm_scenarios();
[[nodiscard]] Scenario retained_scenario();
[[nodiscard]] Scenario subs_scenario();

}  // namespace load
