#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mqspy/fault_rule.hpp"
#include "mqspy/record.hpp"

namespace mq::spy {

/// Numbers that look random and come again with the same seed (SplitMix64; Steele, Lea, Flood, 2014).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_{seed} {}
  std::uint64_t next();
  /// From 0 to below 1.
  double fraction();

 private:
  std::uint64_t state_;
};

/// The rules of a run: they count over all of its connections. Each has dice of its own, so that what one
/// does is the same whatever the others are.
class FaultRules {
 public:
  FaultRules(std::vector<FaultRule> rules, std::uint64_t seed);

  struct Firing {
    const FaultRule* rule = nullptr;
    mqtt::Duration late{};  ///< of `delay`: with what the dice say
  };
  /// Counts the packet with each rule that means it, and says which of them fire, in their order. Valid until
  /// the next call.
  [[nodiscard]] std::span<const Firing> fire(const PacketRecord& packet);
  [[nodiscard]] bool empty() const { return rules_.empty(); }

 private:
  struct Counted {
    FaultRule rule;
    Dice dice;
    std::uint64_t met = 0;
    std::uint64_t fired = 0;
  };
  [[nodiscard]] static bool fires(Counted& counted);

  std::vector<Counted> rules_;
  std::vector<Firing> firing_;
};

}  // namespace mq::spy
