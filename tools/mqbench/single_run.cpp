#include "mqbench/single_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <random>
#include <thread>
#include <utility>

#include <mqtt/client/endpoint.hpp>
#include <mqtt/server/embedded_broker.hpp>

#include "common/authentication.hpp"
#include "common/client_setup.hpp"
#include "common/metric_writer.hpp"
#include "common/page_server.hpp"
#include "mqbench/assembly.hpp"
#include "mqbench/preflight.hpp"
#include "mqbench/prometheus.hpp"
#include "mqbench/runner.hpp"
#include "mqbench/stamp.hpp"

namespace mq::bench {
namespace {

using mqtt::server::EmbeddedBroker;

/// Asks for each secret once: a worker needs a TLS context of its own, and so a setup.
std::expected<void, SetupFailure> resolve_secrets(ConnectionConfig& config, bool uses_tls) {
  const auto resolve = [](SecretSource& source, std::string_view what) -> std::expected<void, SetupFailure> {
    auto value = fetch_secret(source, what);
    if (!value) return std::unexpected(value.error());
    source = {.value = std::move(*value)};
    return {};
  };
  if (auto done = resolve(config.password, "password"); !done) return done;
  if (auto done = resolve(config.authentication.token, "token"); !done) return done;
  if (!uses_tls) return {};
  if (auto done = resolve(config.key_password, "key password"); !done) return done;
  return resolve(config.psk, "pre-shared key");
}

constexpr std::string_view metrics_path = "/metrics";

using Setups = std::vector<std::vector<BrokerSetup>>;

/// Of each broker for each worker.
std::expected<Setups, SetupFailure> make_setups(BenchConfig& config, unsigned count) {
  const bool tls = std::ranges::any_of(config.brokers.connections(config.connection),
                                       [](const auto& each) { return mqtt::uses_tls(each.transport); });
  if (auto resolved = resolve_secrets(config.connection, tls); !resolved)
    return std::unexpected(resolved.error());
  Setups setups(count);
  for (const ConnectionConfig& connection : config.brokers.connections(config.connection))
    for (auto& brokers : setups) {
      auto setup = make_client_setup(connection, "mqbench");
      if (!setup) return std::unexpected(setup.error());
      const Where where = where_of(connection, *setup);
      brokers.push_back({std::move(*setup), where});
    }
  return setups;
}

unsigned threads_of(const Scenario& scenario) {
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const unsigned wanted = scenario.threads == 0 ? processors : scenario.threads;
  return std::min(wanted, scenario.clients());
}

/// What went wrong with the run comes before what its numbers are.
ExitCode exit_code_of(const RunResult& result, const Runner& runner) {
  if (const auto failure = runner.failure()) return *failure;
  if (result.measurements.rejected + result.measurements.unacked > 0) return ExitCode::publish_rejected;
  return result.passed() ? ExitCode::ok : ExitCode::expectation;
}

/// What this process has of the run.
Scenario own_part(const BenchConfig& config) {
  const Shard shard = config.sharding.shard.value_or(Shard{});
  Scenario part = config.scenario;
  part.publishers = shard.part_of(part.publishers);
  part.subscribers = shard.part_of(part.subscribers);
  return part;
}

Plan plan_of(const BenchConfig& config, std::uint32_t run) {
  const std::string prefix =
      config.connection.client_id.value_or(config.connection.id_prefix.value_or("mqbench"));
  Plan plan = make_plan(config.scenario, run, prefix);
  plan.shard = config.sharding.shard.value_or(Shard{});
  plan.brokers = config.brokers;
  plan.publish_properties = config.connection.properties.at(mqtt::PropertyPlace::publish);
  plan.subscribe_properties = config.connection.properties.at(mqtt::PropertyPlace::subscribe);
  return plan;
}

/// On a free port of 127.0.0.1: the least that a run can cost on this machine.
mqtt::Result<std::unique_ptr<EmbeddedBroker>> start_embedded(ConnectionConfig& connection) {
  auto listening = mqtt::server::loopback_config();
  listening.listeners.front().addresses = {"127.0.0.1"};
  auto broker = EmbeddedBroker::start(std::move(listening));
  if (!broker) return broker;
  const auto endpoint = mqtt::parse_endpoint((*broker)->urls().front());
  if (!endpoint) return std::unexpected(endpoint.error());
  connection.hosts = {{.host = endpoint->host, .port = endpoint->port}};
  connection.proxy.reset();  // of the environment
  return broker;
}

/// Before anything else begins: an address that is in use ends the run then. Null if nobody asks for it.
mqtt::Result<std::unique_ptr<PageServer>> open_metrics(mqtt::net::Loop& loop, const ResultsConfig& config,
                                                       Diag& diag) {
  if (!config.prometheus) return nullptr;
  auto server = PageServer::open(loop, *config.prometheus,
                                 [&diag](const mqtt::Error& error) { diag.warning(error.context); });
  if (server) diag.info(fmt::format("metrics at http://{}{}", (*server)->place(), metrics_path));
  return server;
}

void serve_metrics(PageServer& server, Runner& runner, const Plan& plan) {
  const RunLabels labels{.run = plan.run, .shard = plan.shard.count > 1 ? plan.shard.name() : ""};
  server.serve({{.path = metrics_path, .content_type = prometheus_type, .make = [&runner, labels] {
                   return prometheus_text(runner.live_state(), labels);
                 }}});
}

}  // namespace

std::optional<Sentence> shortage_of(const BenchConfig& config) {
  const Scenario part = own_part(config);
  if (part.clients() == 0)
    return Sentence{fmt::format("shard {} has no client: there are {} publishers and {} subscribers",
                                config.sharding.shard.value_or(Shard{}).name(), config.scenario.publishers,
                                config.scenario.subscribers)};
  if (auto foreign = find_foreign_source(part)) return foreign;
  return find_shortage(part, config.brokers, config.connection, threads_of(part),
                       Resources::of_this_process());
}

std::optional<Sentence> crowding_of(const BenchConfig& config) {
  return find_crowding(own_part(config), Resources::of_this_process());
}

SingleRun run_once(BenchConfig& config, Diag& diag) {
  SingleRun done;
  mqtt::net::Loop loop;
  const auto metrics = open_metrics(loop, config.results, diag);
  if (!metrics) {
    diag.error(metrics.error().context);
    done.code = ExitCode::connect;
    return done;
  }
  std::unique_ptr<EmbeddedBroker> embedded;
  if (config.results.self) {
    auto started = start_embedded(config.connection);
    if (!started) {
      diag.error(started.error().context);
      done.code = ExitCode::internal;
      return done;
    }
    embedded = std::move(*started);
  }
  auto setups = make_setups(config, threads_of(own_part(config)));
  if (!setups) {
    diag.error(setups.error().sentence);
    done.code = setups.error().code;
    return done;
  }
  std::uint32_t run = std::random_device{}() & Stamp::run_max;
  std::unique_ptr<Meeting> meeting;  // after the run it says goodbye
  if (config.sharding.shard) {
    auto met = meet_other_shards(config, run, diag);
    if (!met) return {.result = std::nullopt, .code = met.error()};
    meeting = std::move(*met);
    run = meeting->look().run.value_or(run);
  }
  const Plan plan = plan_of(config, run);
  if (plan.scenario.unstamped())
    diag.info(fmt::format(
        "payloads below {} bytes have no stamp: there are no latencies, and losses are only counted",
        Stamp::size));
  Runner runner{loop, plan, config.connection, config.results, std::move(*setups), diag, meeting.get()};
  if (*metrics) serve_metrics(**metrics, runner, plan);
  auto result = runner.run();
  done.stop_signal = runner.stop_signal();
  done.code = result ? ExitCode::ok : result.error();
  if (!result) return done;
  for (const Threshold& threshold : config.results.thresholds)
    result->thresholds.push_back(judge_threshold(threshold, *result));
  done.code = exit_code_of(*result, runner);
  done.result = std::move(*result);
  return done;
}

}  // namespace mq::bench
