#include <algorithm>
#include <array>
#include <utility>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "mqbench/scenario.hpp"

namespace mq::bench {
namespace {

using std::chrono::minutes;

Scenario at_qos_1(Scenario scenario) {
  scenario.publish_qos = scenario.subscribe_qos = mqtt::QoS::at_least_once;
  return scenario;
}

/// Those of the Open MQTT Benchmark Suite have QoS 1, thirty minutes and 16 bytes: ours are 32, which is the
/// stamp by which latencies and losses are known.
Scenario of_suite(Scenario scenario) {
  scenario.size = SizePattern{32};
  scenario.duration = minutes{30};
  return at_qos_1(std::move(scenario));
}

/// Each publisher does it once.
Scenario once_each(Scenario scenario) {
  scenario.set_count(scenario.publishers);
  return scenario;
}

Scenario once_each_together(Scenario scenario) {
  scenario.burst = scenario.publishers;
  return once_each(std::move(scenario));
}

Scenario counted(Scenario scenario, std::uint64_t messages) {
  scenario.set_count(messages);
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
      Preset{"100 publishers, whose messages 10 subscribers share",
             at_qos_1({.name = "shared", .publishers = 100, .subscribers = 10, .wiring = Wiring::shared})},
      Preset{"100 clients send requests, 10 answer: the round trip",
             {.name = "request-response",
              .publishers = 100,
              .subscribers = 10,
              .operation = Operation::request}},
      Preset{"100 clients subscribe and unsubscribe, 1,000 times a second",
             {.name = "subscribe-churn",
              .publishers = 100,
              .subscribers = 0,
              .operation = Operation::subscribe}},
      Preset{"1,000 clients connect, 1,000 a second", once_each({.name = "connect-storm",
                                                                 .publishers = 1'000,
                                                                 .subscribers = 0,
                                                                 .operation = Operation::connect})},
      Preset{"1,000 clients are cut off at once and come back",
             once_each_together({.name = "reconnect-storm",
                                 .publishers = 1'000,
                                 .subscribers = 0,
                                 .operation = Operation::reconnect})},
      Preset{"1,000 clients die at once, and one subscriber gets their Will Messages",
             once_each_together(at_qos_1({.name = "will-storm",
                                          .publishers = 1'000,
                                          .subscribers = 1,
                                          .wiring = Wiring::all,
                                          .operation = Operation::will}))},
      Preset{"100 subscribers come to 1,000 retained messages each",
             counted(at_qos_1({.name = "retained",
                               .publishers = 10,
                               .subscribers = 100,
                               .wiring = Wiring::all,
                               .stored = Stored::retained,
                               .pattern = *TopicPattern::parse("mqbench/{run}/{t:1000}")}),
                     1'000)},
      Preset{"100 subscribers come back to 500 messages each that their sessions have kept",
             counted(
                 at_qos_1({.name = "resume", .publishers = 10, .subscribers = 100, .stored = Stored::queued}),
                 5'000)},
      Preset{"one publisher to 20 subscribers, 5 of which stop reading halfway",
             {.name = "slow-reader",
              .publishers = 1,
              .subscribers = 20,
              .slow = 5,
              .wiring = Wiring::all,
              .size = SizePattern{1'000},
              .rate = 500}},
      Preset{"benchmark suite: 10,000 clients connect, 100 a second",
             once_each(of_suite({.name = "conn-tcp-10K-100",
                                 .publishers = 10'000,
                                 .subscribers = 0,
                                 .operation = Operation::connect,
                                 .rate = 100}))},
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
      Preset{"benchmark suite: 1,000 publishers to 5 subscribers that share, 1,000 messages a second",
             of_suite({.name = "sharesub-1K-5-1K-1K",
                       .publishers = 1'000,
                       .subscribers = 5,
                       .wiring = Wiring::shared,
                       .rate = 1'000})},
      Preset{"benchmark suite: 1,000,000 clients connect, 5,000 a second",
             once_each(of_suite({.name = "conn-tcp-1M-5K",
                                 .publishers = 1'000'000,
                                 .subscribers = 0,
                                 .operation = Operation::connect,
                                 .rate = 5'000}))},
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
      Preset{"benchmark suite: 50,000 publishers to 500 subscribers that share, 50,000 messages a second",
             of_suite({.name = "sharesub-50K-500-50K-50K",
                       .publishers = 50'000,
                       .subscribers = 500,
                       .wiring = Wiring::shared,
                       .rate = 50'000})},
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
