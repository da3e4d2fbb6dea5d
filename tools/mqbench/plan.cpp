#include "mqbench/plan.hpp"

#include <fmt/format.h>

#include <random>
#include <utility>

namespace mq::bench {

std::string Plan::client_id_of(std::uint32_t client) const {
  const bool subscribes = client < scenario.subscribers;
  return fmt::format("{}-{:06x}-{}{}", client_prefix, run, subscribes ? 's' : 'p',
                     subscribes ? client : client - scenario.subscribers);
}

std::string_view Plan::source_of(std::uint32_t client) const {
  if (scenario.sources.empty()) return {};
  return scenario.sources[client % scenario.sources.size()];
}

std::string Plan::topic_of(std::uint32_t stream) const {
  return scenario.pattern.name(run, scenario.topic_of(stream));
}

std::string Plan::reply_topic(std::uint32_t publisher) const {
  return fmt::format("{}/reply/{}", topic_of(publisher), publisher);
}

std::vector<std::string> Plan::filters_of(std::uint32_t subscriber) const {
  if (scenario.wiring == Wiring::shared)
    return {fmt::format("$share/mqbench-{:06x}/{}", run, scenario.pattern.filter(run))};
  if (scenario.topics() > 1 && scenario.takes_all()) return {scenario.pattern.filter(run)};
  std::vector<std::string> filters;
  for (std::uint32_t topic = 0; topic < scenario.topics(); ++topic)
    if (scenario.takes(subscriber, topic)) filters.push_back(scenario.pattern.name(run, topic));
  return filters;
}

namespace {

/// Not all the same: a compressing link would make little of that.
std::vector<std::uint8_t> random_bytes(std::size_t size, std::uint64_t seed) {
  std::vector<std::uint8_t> bytes(size);
  std::mt19937_64 random{seed};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

std::vector<std::uint8_t> payload_of(const Scenario& scenario) {
  if (scenario.payload.text().empty()) return random_bytes(scenario.size.max(), scenario.seed);
  std::vector<std::uint8_t> payload(Stamp::size);
  const std::string& body = scenario.payload.body();
  payload.insert(payload.end(), body.begin(), body.end());
  return payload;
}

}  // namespace

Plan make_plan(const Scenario& scenario, std::uint32_t run, std::string client_prefix) {
  return {.scenario = scenario,
          .run = run,
          .load = {.interval_ns = scenario.open_loop() ? 1e9 / scenario.rate : 0,
                   .publishers = scenario.publishers,
                   .arrival = scenario.arrival,
                   .burst = scenario.burst,
                   .seed = scenario.seed},
          .client_prefix = std::move(client_prefix),
          .brokers = {},
          .publish_properties = {},
          .subscribe_properties = {},
          .payload = payload_of(scenario)};
}

}  // namespace mq::bench
