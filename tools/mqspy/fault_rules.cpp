#include "mqspy/fault_rules.hpp"

#include <utility>

#include "mqspy/subject.hpp"

namespace mq::spy {

std::uint64_t Dice::next() {
  std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

double Dice::fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

FaultRules::FaultRules(std::vector<FaultRule> rules, std::uint64_t seed) {
  Dice seeds{seed};
  for (FaultRule& rule : rules) rules_.push_back({.rule = std::move(rule), .dice = Dice{seeds.next()}});
}

std::span<const FaultRules::Firing> FaultRules::fire(const PacketRecord& packet) {
  firing_.clear();
  const PacketSubject subject{packet};
  for (Counted& each : rules_) {
    if (!each.rule.selector.matches(subject) || !fires(each)) continue;
    const FaultAction& action = each.rule.action;
    const auto spread = static_cast<double>(action.jitter.count()) * (2 * each.dice.fraction() - 1);
    firing_.push_back({&each.rule, action.duration + mqtt::Duration{static_cast<std::int64_t>(spread)}});
  }
  return firing_;
}

bool FaultRules::fires(Counted& counted) {
  const FaultTrigger& when = counted.rule.trigger;
  const std::uint64_t met = ++counted.met;
  if (when.nth != 0 && met != when.nth) return false;
  if (met < when.from || met % when.every != 0) return false;
  if (when.count != 0 && counted.fired == when.count) return false;
  if (when.p < 1 && counted.dice.fraction() >= when.p) return false;
  ++counted.fired;
  return true;
}

}  // namespace mq::spy
