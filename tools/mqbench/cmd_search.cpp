#include "mqbench/cmd_search.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <expected>
#include <optional>
#include <utility>

#include <mqtt/net/loop.hpp>

#include "common/diag.hpp"
#include "common/signals.hpp"
#include "mqbench/result_file.hpp"
#include "mqbench/search_result.hpp"
#include "mqbench/single_run.hpp"

namespace mq::bench {
namespace {

/// Signals between two runs; while one runs, it has its own.
class Pause {
 public:
  /// The signal that has come in a pause; 0 if none has.
  [[nodiscard]] int stop_signal() {
    timer_.set(loop_.refresh_now());
    loop_.run();
    return signals_.stop_signal();
  }

 private:
  mqtt::net::Loop loop_;
  mqtt::net::Timer timer_{loop_, [this] { loop_.stop(); }};
  Signals signals_{loop_, {.on_stop = [this] { loop_.stop(); }, .on_statistics = [] {}}};
};

class Searcher {
 public:
  Searcher(BenchConfig config, std::string command_line)
      : config_{std::move(config)},
        diag_{"mqbench", config_.connection.log},
        base_{config_.scenario},
        search_{config_.search.limits} {
    config_.connection.log.quiet = true;
    config_.results.thresholds = config_.search.objectives;
    result_.plan = config_.search;
    result_.scenario = base_;
    result_.broker = config_.brokers.where(config_.connection);
    result_.command_line = std::move(command_line);
  }

  [[nodiscard]] ExitCode run();

 private:
  [[nodiscard]] std::expected<SearchStep, ExitCode> try_load(double load);
  [[nodiscard]] Scenario scenario_of(double load) const;
  [[nodiscard]] mqtt::Result<void> show(const std::string& text) const;
  [[nodiscard]] mqtt::Result<void> write_result() const;
  [[nodiscard]] ExitCode write_failed(const mqtt::Error& error);

  BenchConfig config_;
  Diag diag_;
  Scenario base_;
  LoadSearch search_;
  SearchResult result_;
  Pause pause_;
  int stop_signal_ = 0;
};

Scenario Searcher::scenario_of(double load) const {
  Scenario scenario = base_;
  if (config_.search.quantity == SearchQuantity::rate) {
    scenario.rate = load;
    return scenario;
  }
  const double ramp = scenario.ramp;
  scenario.scale_by(load / base_.publishers);
  scenario.publishers = static_cast<std::uint32_t>(load);
  scenario.ramp = ramp;
  return scenario;
}

/// A machine that is too small for it, and a run that did not come to its start after good ones, are answers,
/// too.
std::expected<SearchStep, ExitCode> Searcher::try_load(double load) {
  diag_.info(fmt::format("trying {}", result_.shown(load)));
  config_.scenario = scenario_of(load);
  if (const auto shortage = shortage_of(config_))
    return SearchStep{.load = load, .attempt = Attempt::tool_bound, .reason = shortage->text, .latency = {}};
  Diag errors_only{"mqbench", config_.connection.log};
  SingleRun run = run_once(config_, errors_only);
  stop_signal_ = run.stop_signal;
  if (run.result) return judge_step(load, *run.result);
  if (!search_.best() || stop_signal_ != 0) return std::unexpected(run.code);
  return SearchStep{
      .load = load, .attempt = Attempt::bad, .reason = "the run did not come to its start", .latency = {}};
}

mqtt::Result<void> Searcher::show(const std::string& text) const {
  if (config_.results.json_file == "-") return {};
  return write_all(STDOUT_FILENO, text, "standard output");
}

mqtt::Result<void> Searcher::write_result() const {
  const std::string& json_file = config_.results.json_file;
  if (json_file == "-") return write_all(STDOUT_FILENO, as_json(result_), "standard output");
  if (auto shown = show(search_end(result_)); !shown || json_file.empty()) return shown;
  return write_file(json_file, as_json(result_));
}

ExitCode Searcher::write_failed(const mqtt::Error& error) {
  diag_.error(local_io_failed(error));
  return ExitCode::local_io;
}

ExitCode Searcher::run() {
  const std::string& json_file = config_.results.json_file;
  if (!json_file.empty() && json_file != "-")
    if (const auto writable = check_writable(json_file); !writable) return write_failed(writable.error());
  if (const auto shown = show(search_head(result_.plan, base_)); !shown) return write_failed(shown.error());
  result_.started = Diag::system_clock();
  while (const auto load = search_.next()) {
    auto step = try_load(*load);
    if (stop_signal_ == 0) stop_signal_ = pause_.stop_signal();
    if (stop_signal_ != 0) break;
    if (!step) return step.error();
    search_.note(step->attempt);
    result_.steps.push_back(std::move(*step));
    if (const auto shown = show(search_line(result_.steps.back())); !shown)
      return write_failed(shown.error());
  }
  result_.ended = Diag::system_clock();
  result_.interrupted = stop_signal_ != 0;
  result_.end = search_.ended();
  result_.best = search_.best();
  result_.bad = search_.bad();
  const auto written = write_result();
  if (stop_signal_ != 0) die_by(stop_signal_);
  if (!written) return write_failed(written.error());
  return result_.best ? ExitCode::ok : ExitCode::expectation;
}

}  // namespace

ExitCode search(BenchConfig config, std::string command_line) {
  return Searcher{std::move(config), std::move(command_line)}.run();
}

}  // namespace mq::bench
