#include "mqbench/app.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "common/diag.hpp"
#include "common/signals.hpp"
#include "mqbench/cmd_search.hpp"
#include "mqbench/cmd_verify.hpp"
#include "mqbench/result_file.hpp"
#include "mqbench/run_result.hpp"
#include "mqbench/scenario_json.hpp"
#include "mqbench/single_run.hpp"

namespace mq::bench {
namespace {

mqtt::Result<void> check_results(const ResultsConfig& config) {
  for (const std::string& path : {config.json_file, config.hdr_file, config.csv_file})
    if (!path.empty() && path != "-")
      if (auto writable = check_writable(path); !writable) return writable;
  return {};
}

mqtt::Result<void> write_results(const ResultsConfig& config, const RunResult& result) {
  const bool json_instead = config.json_file == "-";
  auto shown = write_all(STDOUT_FILENO, json_instead ? as_json(result) : as_text(result), "standard output");
  if (!json_instead && !config.json_file.empty())
    if (auto written = write_file(config.json_file, as_json(result)); !written) return written;
  if (!config.csv_file.empty())
    if (auto written = write_file(config.csv_file, as_csv(result)); !written) return written;
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

ExitCode run_scenario(BenchConfig& config, std::string command_line) {
  Diag diag{"mqbench", config.connection.log};
  if (const auto shortage = shortage_of(config)) {
    diag.error(*shortage);
    return ExitCode::usage;
  }
  if (const auto writable = check_results(config.results); !writable) {
    diag.error(local_io_failed(writable.error()));
    return ExitCode::local_io;
  }
  if (const auto crowding = crowding_of(config)) diag.warning(*crowding);
  SingleRun run = run_once(config, diag);
  if (run.result) {
    run.result->command_line = std::move(command_line);
    if (const auto written = write_results(config.results, *run.result); !written) {
      diag.error(local_io_failed(written.error()));
      run.code = ExitCode::local_io;
    }
  }
  if (run.stop_signal != 0) die_by(run.stop_signal);
  return run.code;
}

}  // namespace

ExitCode bench(BenchConfig config, std::string command_line) {
  if (config.command == Command::list) return list_presets(config);
  if (config.command == Command::search) return search(std::move(config), std::move(command_line));
  if (config.command == Command::verify) return verify(std::move(config), std::move(command_line));
  return run_scenario(config, std::move(command_line));
}

}  // namespace mq::bench
