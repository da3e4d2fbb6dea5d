#include "mqbench/verify_scenario.hpp"

#include <array>

namespace mq::bench {
namespace {

constexpr std::array<std::string_view, fault_kinds> names{"cut", "half-close", "stall", "resume"};

}  // namespace

std::string_view to_string(FaultKind kind) { return names[static_cast<std::size_t>(kind)]; }

std::optional<FaultKind> fault_named(std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<FaultKind>(found - names.begin());
}

mqtt::Duration FaultDice::gap() {
  std::exponential_distribution<double> seconds{scenario_.fault_rate};
  return std::chrono::duration_cast<mqtt::Duration>(std::chrono::duration<double>{seconds(random_)});
}

FaultKind FaultDice::kind() { return scenario_.faults[one_of(scenario_.faults.size())]; }

std::size_t FaultDice::one_of(std::size_t count) {
  return std::uniform_int_distribution<std::size_t>{0, count - 1}(random_);
}

mqtt::Duration FaultDice::length() {
  const auto most = scenario_.fault_time.count();
  return mqtt::Duration{std::uniform_int_distribution<mqtt::Duration::rep>{most / 2, most}(random_)};
}

}  // namespace mq::bench
