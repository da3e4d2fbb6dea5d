#include "mqbench/scenario.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace mq::bench {

std::uint32_t Scenario::topics() const {
  return wiring == Wiring::pairs && subscribers > 0 ? std::min(publishers, subscribers) : publishers;
}

bool Scenario::receives(std::uint32_t subscriber, std::uint32_t publisher) const {
  return wiring == Wiring::all || subscriber % topics() == publisher % topics();
}

std::uint32_t Scenario::receivers_of(std::uint32_t publisher) const {
  if (wiring == Wiring::all || subscribers == 0) return subscribers;
  return (subscribers - publisher % topics() + topics() - 1) / topics();
}

std::uint64_t Scenario::limit_of(std::uint32_t publisher) const {
  if (count == 0) return std::numeric_limits<std::uint64_t>::max();
  return (count + publishers - 1 - publisher) / publishers;
}

std::span<const Preset> presets() {
  static const std::array all{
      Preset{"ten pairs, 1,000 messages a second: a first look at a broker",
             {.name = "quick", .publishers = 10, .subscribers = 10}},
      Preset{"100 publishers with a subscriber each",
             {.name = "pairs", .publishers = 100, .subscribers = 100, .rate = 5'000}},
      Preset{"1,000 publishers, all of whose messages go to one subscriber",
             {.name = "fan-in", .publishers = 1'000, .subscribers = 1, .wiring = Wiring::all, .rate = 5'000}},
      Preset{"one publisher, whose messages go to 1,000 subscribers",
             {.name = "fan-out", .publishers = 1, .subscribers = 1'000, .wiring = Wiring::all, .rate = 10}},
      Preset{"ten publishers and no subscriber, flat out",
             {.name = "sink", .publishers = 10, .subscribers = 0, .rate = 0}},
  };
  return all;
}

const Preset* find_preset(std::string_view name) {
  const auto found =
      std::ranges::find(presets(), name, [](const Preset& each) { return each.scenario.name; });
  return found == presets().end() ? nullptr : &*found;
}

}  // namespace mq::bench
