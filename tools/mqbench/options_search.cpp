#include "mqbench/options_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"

namespace mq::bench {
namespace {

using SearchFault = std::optional<std::string>;

constexpr double load_max = 1e8;
constexpr unsigned steps_max = 1'000;
/// Of a step, where --duration and --count do not say it.
constexpr std::chrono::seconds step_time{5};

std::optional<double> read_decimal(std::string_view text) {
  double value = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return fault == std::errc{} && end == text.data() + text.size() ? std::optional{value} : std::nullopt;
}

/// "1000/s", "40".
ValueResult keep_load(std::optional<double>& target, std::string_view text) {
  std::string_view number = text;
  if (number.ends_with("/s")) number.remove_suffix(2);
  target = read_decimal(number);
  if (target && *target >= 1e-3 && *target <= load_max) return {};
  return std::unexpected(
      fmt::format("'{}' is not a load such as 1000/s, or 40 clients", mqtt::escape_for_terminal(text)));
}

/// "5%".
ValueResult keep_precision(double& target, std::string_view text) {
  std::string_view number = text;
  if (number.ends_with('%')) number.remove_suffix(1);
  const auto percent = read_decimal(number);
  if (!percent || *percent < 0.1 || *percent > 100)
    return std::unexpected(
        fmt::format("'{}' is not a share from 0.1% to 100%", mqtt::escape_for_terminal(text)));
  target = *percent / 100;
  return {};
}

ValueResult keep_objective(std::vector<Threshold>& objectives, std::string_view text) {
  auto objective = Threshold::parse(text);
  if (!objective) return std::unexpected(std::move(objective.error()));
  objectives.push_back(std::move(*objective));
  return {};
}

void declare_bounds(Options& o, BenchConfig& config) {
  BenchConfig::Typed& typed = config.typed;
  o.parsed("--first", [&typed](std::string_view text) { return keep_load(typed.first, text); })
      .metavar("LOAD")
      .group(search_group)
      .text("the load to begin with (default: the scenario's)");
  o.parsed("--lowest", [&typed](std::string_view text) { return keep_load(typed.lowest, text); })
      .metavar("LOAD")
      .group(search_group)
      .text("try nothing below it (default: 1)");
  o.parsed("--highest", [&typed](std::string_view text) { return keep_load(typed.highest, text); })
      .metavar("LOAD")
      .group(search_group)
      .text("try nothing above it");
}

SearchFault join_bounds(BenchConfig& config) {
  const BenchConfig::Typed& typed = config.typed;
  SearchLimits& limits = config.search.limits;
  const bool rate = config.search.quantity == SearchQuantity::rate;
  limits.whole = !rate;
  limits.lowest = typed.lowest.value_or(1);
  limits.highest = typed.highest.value_or(rate ? load_max : 1e6);
  const double own = rate ? config.scenario.rate : config.scenario.publishers;
  limits.first =
      typed.first.value_or(std::clamp(own, limits.lowest, std::max(limits.lowest, limits.highest)));
  if (limits.lowest <= limits.first && limits.first <= limits.highest && (rate || limits.lowest >= 1))
    return std::nullopt;
  return fmt::format("options '--lowest', '--first' and '--highest' are not in order: {:g}, {:g}, {:g}",
                     limits.lowest, limits.first, limits.highest);
}

}  // namespace

void declare_search_options(Options& o, BenchConfig& config) {
  SearchLimits& limits = config.search.limits;
  o.parsed("--slo",
           [&config](std::string_view text) { return keep_objective(config.search.objectives, text); })
      .repeats()
      .metavar("EXPR")
      .group(search_group)
      .text("what a load has to keep to, besides no loss and a valid verdict: as --threshold")
      .example("--slo 'p99<5ms'");
  o.flag("--clients", config.typed.search_clients)
      .group(search_group)
      .text("search the number of publishers instead of the rate; subscribers and rate grow in proportion");
  declare_bounds(o, config);
  o.parsed("--precision", [&limits](std::string_view text) { return keep_precision(limits.precision, text); })
      .metavar("PERCENT")
      .group(search_group)
      .text("how far apart the good and the bad load may be at the end (default: 5%)");
  o.number("--steps", limits.steps_max, {.min = 1, .max = steps_max})
      .metavar("N")
      .group(search_group)
      .text("runs at most, of --warmup and --duration (default here: 5s) each");
  o.number("--repeats", limits.repeats, {.max = 100})
      .metavar("N")
      .group(search_group)
      .text(
          "how often a run that is not good is repeated before it is believed; those in which the tool was "
          "the "
          "limit are counted apart");
}

std::optional<std::string> choose_search(BenchConfig& config) {
  SearchPlan& search = config.search;
  search.quantity = config.typed.search_clients ? SearchQuantity::clients : SearchQuantity::rate;
  if (!config.typed.duration && !config.typed.count) config.scenario.duration = step_time;
  if (search.quantity == SearchQuantity::rate && !config.scenario.open_loop())
    return "the scenario has no rate to search for: use --rate or --clients";
  for (const Threshold& objective : search.objectives)
    if (const auto why = objective.impossible_in(config.scenario))
      return fmt::format("option '--slo': {}: {}", in_quotes(objective.text()), *why);
  return join_bounds(config);
}

}  // namespace mq::bench
