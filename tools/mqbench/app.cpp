#include "mqbench/app.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include "common/authentication.hpp"
#include "common/client_setup.hpp"
#include "common/diag.hpp"
#include "mqbench/assembly.hpp"
#include "mqbench/cmd_verify.hpp"
#include "mqbench/preflight.hpp"
#include "mqbench/result_file.hpp"
#include "mqbench/run_result.hpp"
#include "mqbench/runner.hpp"
#include "mqbench/scenario_json.hpp"
#include "mqbench/stamp.hpp"

namespace mq::bench {
namespace {

/// Asks for each secret once: a worker needs a TLS context of its own, and so a setup.
std::expected<void, SetupFailure> resolve_secrets(ConnectionConfig& config) {
  const auto resolve = [](SecretSource& source, std::string_view what) -> std::expected<void, SetupFailure> {
    auto value = fetch_secret(source, what);
    if (!value) return std::unexpected(value.error());
    source = {.value = std::move(*value)};
    return {};
  };
  if (auto done = resolve(config.password, "password"); !done) return done;
  if (auto done = resolve(config.authentication.token, "token"); !done) return done;
  if (!mqtt::uses_tls(config.transport)) return {};
  if (auto done = resolve(config.key_password, "key password"); !done) return done;
  return resolve(config.psk, "pre-shared key");
}

std::expected<std::vector<ClientSetup>, SetupFailure> make_setups(ConnectionConfig& config, unsigned count) {
  if (auto resolved = resolve_secrets(config); !resolved) return std::unexpected(resolved.error());
  std::vector<ClientSetup> setups;
  for (unsigned n = 0; n < count; ++n) {
    auto setup = make_client_setup(config, "mqbench");
    if (!setup) return std::unexpected(setup.error());
    setups.push_back(std::move(*setup));
  }
  return setups;
}

unsigned threads_of(const Scenario& scenario) {
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const unsigned wanted = scenario.threads == 0 ? processors : scenario.threads;
  return std::min(wanted, scenario.clients());
}

mqtt::Result<void> check_results(const ResultsConfig& config) {
  for (const std::string& path : {config.json_file, config.hdr_file})
    if (!path.empty() && path != "-")
      if (auto writable = check_writable(path); !writable) return writable;
  return {};
}

mqtt::Result<void> write_results(const ResultsConfig& config, const RunResult& result) {
  const bool json_instead = config.json_file == "-";
  auto shown = write_all(STDOUT_FILENO, json_instead ? as_json(result) : as_text(result), "standard output");
  if (!json_instead && !config.json_file.empty())
    if (auto written = write_file(config.json_file, as_json(result)); !written) return written;
  if (!config.hdr_file.empty())
    if (auto written = write_file(config.hdr_file, as_histogram_log(result)); !written) return written;
  return shown;
}

ExitCode list_presets(const BenchConfig& config) {
  std::string text;
  if (config.typed.scenario)
    text = scenario_file(config.scenario);
  else
    for (const Preset& preset : presets())
      text += fmt::format("{:<24} {}\n", preset.scenario.name, preset.what);
  const auto written = write_all(STDOUT_FILENO, text, "standard output");
  if (written) return ExitCode::ok;
  Diag{"mqbench", config.connection.log}.error(local_io_failed(written.error()));
  return ExitCode::local_io;
}

/// What went wrong with the run comes before what its numbers are.
ExitCode exit_code_of(const RunResult& result, const Runner& runner) {
  if (const auto failure = runner.failure()) return *failure;
  if (result.measurements.rejected + result.measurements.unacked > 0) return ExitCode::publish_rejected;
  return result.passed() ? ExitCode::ok : ExitCode::expectation;
}

/// What this process has of the run.
Scenario own_part(const Scenario& scenario, const Shard& shard) {
  Scenario part = scenario;
  part.publishers = shard.part_of(scenario.publishers);
  part.subscribers = shard.part_of(scenario.subscribers);
  return part;
}

ExitCode run_scenario(BenchConfig& config, std::string command_line) {
  Diag diag{"mqbench", config.connection.log};
  const Shard shard = config.sharding.shard.value_or(Shard{});
  const Scenario part = own_part(config.scenario, shard);
  if (part.clients() == 0) {
    diag.error(fmt::format("shard {} has no client: there are {} publishers and {} subscribers", shard.name(),
                           config.scenario.publishers, config.scenario.subscribers));
    return ExitCode::usage;
  }
  const unsigned threads = threads_of(part);
  if (const auto shortage = find_shortage(part, config.connection, threads, Resources::of_this_process())) {
    diag.error(*shortage);
    return ExitCode::usage;
  }
  if (const auto writable = check_results(config.results); !writable) {
    diag.error(local_io_failed(writable.error()));
    return ExitCode::local_io;
  }
  auto setups = make_setups(config.connection, threads);
  if (!setups) {
    diag.error(setups.error().sentence);
    return setups.error().code;
  }
  const std::string prefix =
      config.connection.client_id.value_or(config.connection.id_prefix.value_or("mqbench"));
  std::uint32_t run = std::random_device{}() & Stamp::run_max;
  std::unique_ptr<Meeting> meeting;
  if (config.sharding.shard) {
    auto met = meet_other_shards(config, run, diag);
    if (!met) return met.error();
    meeting = std::move(*met);
    run = meeting->look().run.value_or(run);
  }
  Plan plan = make_plan(config.scenario, run, prefix);
  plan.shard = shard;
  plan.publish_properties = config.connection.properties.at(mqtt::PropertyPlace::publish);
  plan.subscribe_properties = config.connection.properties.at(mqtt::PropertyPlace::subscribe);
  if (plan.scenario.unstamped())
    diag.info(fmt::format(
        "payloads below {} octets have no stamp: there are no latencies, and losses are only counted",
        Stamp::size));
  Runner runner{plan, config.connection, config.results, std::move(*setups), diag, meeting.get()};
  auto result = runner.run();
  ExitCode code = ExitCode::ok;
  if (result) {
    result->command_line = std::move(command_line);
    for (const Threshold& threshold : config.results.thresholds)
      result->thresholds.push_back(judge_threshold(threshold, *result));
    code = exit_code_of(*result, runner);
    if (const auto written = write_results(config.results, *result); !written) {
      diag.error(local_io_failed(written.error()));
      code = ExitCode::local_io;
    }
  }
  meeting.reset();  // says goodbye before a signal may end it all
  if (runner.stop_signal() != 0) die_by(runner.stop_signal());
  return result ? code : result.error();
}

}  // namespace

ExitCode bench(BenchConfig config, std::string command_line) {
  if (config.command == Command::list) return list_presets(config);
  if (config.command == Command::verify) return verify(std::move(config), std::move(command_line));
  return run_scenario(config, std::move(command_line));
}

}  // namespace mq::bench
