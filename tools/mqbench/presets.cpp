#include <algorithm>
#include <array>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "mqbench/scenario.hpp"

namespace mq::bench {
namespace {

using std::chrono::minutes;

/// Those of the Open MQTT Benchmark Suite have QoS 1, thirty minutes and 16 octets: ours are 32, which is the
/// stamp by which latencies and losses are known.
Scenario of_suite(Scenario scenario) {
  scenario.publish_qos = scenario.subscribe_qos = mqtt::QoS::at_least_once;
  scenario.size = SizePattern{32};
  scenario.duration = minutes{30};
  return scenario;
}

}  // namespace

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
      Preset{"benchmark suite: one publisher to 1,000 subscribers, 1,000 deliveries a second",
             of_suite({.name = "fanout-1-1K-1-1K",
                       .publishers = 1,
                       .subscribers = 1'000,
                       .wiring = Wiring::all,
                       .rate = 1})},
      Preset{"benchmark suite: 1,000 publishers to one subscriber, 1,000 messages a second",
             of_suite({.name = "fanin-1K-1-1K-1K",
                       .publishers = 1'000,
                       .subscribers = 1,
                       .wiring = Wiring::all,
                       .rate = 1'000})},
      Preset{"benchmark suite: 1,000 pairs, 1,000 messages a second",
             of_suite({.name = "p2p-1K-1K-1K-1K", .publishers = 1'000, .subscribers = 1'000, .rate = 1'000})},
      Preset{"benchmark suite: 5 publishers to 1,000 subscribers, 250,000 deliveries a second",
             of_suite({.name = "fanout-5-1000-5-250K",
                       .publishers = 5,
                       .subscribers = 1'000,
                       .wiring = Wiring::all,
                       .rate = 250})},
      Preset{
          "benchmark suite: 50,000 pairs, 50,000 messages a second",
          of_suite(
              {.name = "p2p-50K-50K-50K-50K", .publishers = 50'000, .subscribers = 50'000, .rate = 50'000})},
  };
  return all;
}

const Preset* find_preset(std::string_view name) {
  const auto found = std::ranges::find_if(
      presets(), [name](const Preset& each) { return mqtt::equal_ignoring_case(each.scenario.name, name); });
  return found == presets().end() ? nullptr : &*found;
}

std::string_view nearest_preset(std::string_view name) {
  const auto distance = [name](const Preset& each) { return edit_distance(name, each.scenario.name); };
  const auto nearest = std::ranges::min_element(presets(), {}, distance);
  return distance(*nearest) <= name.size() / 3 ? std::string_view{nearest->scenario.name}
                                               : std::string_view{};
}

}  // namespace mq::bench
