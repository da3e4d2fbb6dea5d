#include "mqbench/plan.hpp"

#include <fmt/format.h>

#include <random>
#include <utility>

namespace mq::bench {

std::string Plan::topic_of(std::uint32_t stream) const {
  return scenario.pattern.name(run, scenario.topic_of(stream));
}

std::vector<std::string> Plan::filters_of(std::uint32_t subscriber) const {
  if (scenario.topics() > 1 && scenario.takes_all()) return {scenario.pattern.filter(run)};
  std::vector<std::string> filters;
  for (std::uint32_t topic = 0; topic < scenario.topics(); ++topic)
    if (scenario.takes(subscriber, topic)) filters.push_back(scenario.pattern.name(run, topic));
  return filters;
}

Plan make_plan(const Scenario& scenario, std::uint32_t run, std::string client_prefix) {
  Plan plan{.scenario = scenario,
            .run = run,
            .load = {.interval_ns = scenario.open_loop() ? 1e9 / scenario.rate : 0,
                     .publishers = scenario.publishers,
                     .arrival = scenario.arrival,
                     .burst = scenario.burst,
                     .seed = scenario.seed},
            .client_prefix = std::move(client_prefix),
            .payload = std::vector<std::uint8_t>(scenario.size.max())};
  // Not all the same: a compressing link would make little of that.
  std::mt19937_64 random{scenario.seed};
  for (auto& octet : plan.payload) octet = static_cast<std::uint8_t>(random());
  return plan;
}

}  // namespace mq::bench
