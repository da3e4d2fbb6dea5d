#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/connect_options.hpp"
#include "common/options.hpp"
#include "mqbench/brokers.hpp"
#include "mqbench/results_config.hpp"
#include "mqbench/scenario.hpp"
#include "mqbench/search_result.hpp"
#include "mqbench/shard_config.hpp"
#include "mqbench/verify_scenario.hpp"

namespace mq::bench {

enum class Command : std::uint8_t { run, list, verify, search };

struct BenchConfig {
  Command command = Command::run;
  ConnectionConfig connection;
  BrokerList brokers;
  Scenario scenario;
  VerifyScenario verification;
  SearchPlan search;
  ResultsConfig results;
  ShardConfig sharding;

  /// As it was typed, before it is joined with the preset.
  struct Typed {
    std::string command;
    std::optional<std::string> scenario;  ///< none: quick
    std::optional<std::uint32_t> publishers;
    std::optional<std::uint32_t> subscribers;
    std::optional<std::array<mqtt::QoS, 2>> qos;
    std::optional<Wiring> wiring;
    std::optional<std::uint32_t> slow;
    std::vector<mqtt::Endpoint> brokers, publish_to, subscribe_from;
    std::optional<TopicPattern> topics;
    std::optional<SizePattern> size;
    std::optional<PayloadPattern> payload;
    bool topic_alias = false;
    bool spin = false;
    std::optional<double> scale;
    std::optional<double> rate;
    std::optional<std::uint16_t> window;
    std::optional<double> ramp;
    std::optional<mqtt::Duration> warmup;
    std::optional<mqtt::Duration> duration;
    std::optional<std::uint64_t> count;
    std::optional<mqtt::Duration> drain;
    std::optional<Arrival> arrival;
    std::uint64_t burst = 1;
    std::optional<std::uint64_t> seed;
    std::optional<unsigned> threads;
    std::vector<std::string> sources;
    bool search_clients = false;
    std::optional<double> first;  // of a search, as the two below
    std::optional<double> lowest;
    std::optional<double> highest;
  };
  Typed typed;
};

[[nodiscard]] Program mqbench_program();
/// `config` must outlive parsing.
void declare_bench_options(Options& options, BenchConfig& config);

}  // namespace mq::bench
