#include "mqbench/search_result.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mq::bench {
namespace {

constexpr double knee_percentile = 99;

/// Why a step is not good; nothing if it is.
std::optional<std::string> shortcoming_of(const RunResult& result) {
  const Measurements& m = result.measurements;
  if (result.verdict != Verdict::valid)
    return fmt::format("{}: {}", to_string(result.verdict), result.reason);
  if (m.connections_lost > 0) return fmt::format("{} connections lost", m.connections_lost);
  if (m.lost > 0) return fmt::format("{} of {} deliveries lost", m.lost, m.expected);
  if (m.rejected + m.unacked > 0) return fmt::format("{} rejected, {} unacknowledged", m.rejected, m.unacked);
  if (m.corrupted > 0) return fmt::format("{} corrupted", m.corrupted);
  for (const ThresholdOutcome& outcome : result.thresholds)
    if (!outcome.passed)
      return fmt::format("{}: {}", outcome.threshold.text(),
                         outcome.value ? outcome.threshold.shown(*outcome.value) : "nothing was measured");
  return std::nullopt;
}

/// What was not the broker's limit says nothing about it, whatever else is known.
Attempt attempt_of(Verdict verdict, Attempt otherwise) {
  if (verdict == Verdict::tool_bound) return Attempt::tool_bound;
  return verdict == Verdict::network_bound ? Attempt::network_bound : otherwise;
}

bool is_of_the_broker(const SearchStep& step) {
  return step.attempt == Attempt::good || step.attempt == Attempt::bad;
}

std::string milliseconds(const Histogram& latency, double percentile) {
  if (latency.count() == 0) return "-";
  return fmt::format("{:.3f}", static_cast<double>(latency.at_percentile(percentile)) / 1e6);
}

std::string_view to_string(Attempt attempt) {
  switch (attempt) {
    case Attempt::good: return "good";
    case Attempt::bad: return "bad";
    case Attempt::network_bound: return "network-bound";
    default: return "tool-bound";
  }
}

/// The reason of a verdict begins with its name.
std::string outcome_of(const SearchStep& step) {
  if (step.reason.empty() || step.reason.starts_with(to_string(step.attempt)))
    return step.reason.empty() ? std::string{to_string(step.attempt)} : step.reason;
  return fmt::format("{}: {}", to_string(step.attempt), step.reason);
}

/// Of the last step with this load that was not good.
std::string_view reason_at(const std::vector<SearchStep>& steps, double load) {
  std::string_view reason;
  for (const SearchStep& step : steps)
    if (step.load == load && step.attempt != Attempt::good) reason = step.reason;
  return reason;
}

}  // namespace

SearchStep judge_step(double load, const RunResult& result) {
  const Measurements& m = result.measurements;
  const auto shortcoming = shortcoming_of(result);
  return {.load = load,
          .attempt = attempt_of(result.verdict, shortcoming.has_value() ? Attempt::bad : Attempt::good),
          .reason = shortcoming.value_or(""),
          .run = result.plan.run,
          .sent = m.sent,
          .lost = m.lost,
          .sent_rate = result.sent_rate(),
          .received_rate = result.received_rate(),
          .latency = result.plan.scenario.open_loop() ? m.due_to_received : m.sent_to_received,
          .verdict = result.verdict};
}

const SearchStep* SearchResult::knee() const {
  std::vector<const SearchStep*> order;
  for (const SearchStep& step : steps)
    if (is_of_the_broker(step) && step.latency.count() > 0) order.push_back(&step);
  std::ranges::sort(order, {}, &SearchStep::received_rate);
  std::vector<CurvePoint> curve;
  for (const SearchStep* const step : order)
    curve.push_back({step->received_rate, static_cast<double>(step->latency.at_percentile(knee_percentile))});
  const auto found = find_knee(curve);
  return found ? order[*found] : nullptr;
}

std::string SearchResult::shown(double load) const {
  return plan.quantity == SearchQuantity::rate ? fmt::format("{:.6g}/s", load)
                                               : fmt::format("{} publisher{}", load, load == 1 ? "" : "s");
}

std::string SearchResult::conclusion() const {
  const std::string good = best ? shown(*best) + " is good" : "nothing was good";
  if (end == SearchEnd::highest) return fmt::format("at least {}, the highest load to try", shown(*best));
  if (end == SearchEnd::tool_bound || end == SearchEnd::network_bound) {
    const double load = steps.back().load;
    return fmt::format("{}; the {} was the limit at {} ({})", best ? "at least " + shown(*best) : "unknown",
                       end == SearchEnd::tool_bound ? "tool" : "network", shown(load), steps.back().reason);
  }
  const std::string not_good =
      bad ? fmt::format("{} is not ({})", shown(*bad), reason_at(steps, *bad)) : "nothing was bad";
  if (end == SearchEnd::lowest)
    return fmt::format("below {}, the lowest load to try ({})", shown(*bad), reason_at(steps, *bad));
  const std::string_view how = !end ? "interrupted: " : end == SearchEnd::steps ? "no more steps: " : "";
  return fmt::format("{}{}; {}", how, good, not_good);
}

std::string search_head(const SearchPlan& plan, const Scenario& scenario) {
  std::string objectives;
  for (const Threshold& each : plan.objectives) objectives += (objectives.empty() ? "" : ", ") + each.text();
  const bool rate = plan.quantity == SearchQuantity::rate;
  return fmt::format("search: {}, the highest {} with {}{}no loss\n\n{:>12}{:>12}{:>14}{:>10}{:>10}{:>10}\n",
                     scenario.name, rate ? "rate" : "number of clients", objectives,
                     objectives.empty() ? "" : " and ", rate ? "rate/s" : "publishers", "sent/s",
                     "delivered/s", "p50 ms", "p99 ms", "p99.9 ms");
}

std::string search_line(const SearchStep& step) {
  return fmt::format("{:>12.6g}{:>12.1f}{:>14.1f}{:>10}{:>10}{:>10}  {}\n", step.load, step.sent_rate,
                     step.received_rate, milliseconds(step.latency, 50), milliseconds(step.latency, 99),
                     milliseconds(step.latency, 99.9), outcome_of(step));
}

std::string search_end(const SearchResult& result) {
  std::string text = fmt::format("\nlimit: {}\n", result.conclusion());
  if (const SearchStep* const knee = result.knee())
    text += fmt::format("knee: {} (p99 {} ms); beyond it latency rises faster than throughput\n",
                        result.shown(knee->load), milliseconds(knee->latency, knee_percentile));
  return text;
}

}  // namespace mq::bench
