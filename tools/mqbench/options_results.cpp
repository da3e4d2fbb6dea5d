#include "mqbench/options_results.hpp"

#include <fmt/format.h>

#include <mqtt/util/text.hpp>

#include "common/listen_place.hpp"
#include "common/spelling.hpp"
#include "common/value_checks.hpp"

namespace mq::bench {
namespace {

constexpr std::string_view group = "Results";

ValueResult keep_pid(std::vector<pid_t>& pids, std::string_view text) {
  const auto pid = mqtt::parse_number<pid_t>(text);
  if (!pid || *pid < 1)
    return std::unexpected(
        fmt::format("'{}' is not the number of a process", mqtt::escape_for_terminal(text)));
  pids.push_back(*pid);
  return {};
}

ValueResult keep_threshold(std::vector<Threshold>& thresholds, std::string_view text) {
  auto threshold = Threshold::parse(text);
  if (!threshold) return std::unexpected(std::move(threshold.error()));
  thresholds.push_back(std::move(*threshold));
  return {};
}

void declare_files(Options& o, ResultsConfig& config) {
  o.text("--json", config.json_file)
      .file()
      .group(group)
      .must(not_empty)
      .text("write the whole result as JSON; - is standard output, instead of the summary");
  o.text("--hdr", config.hdr_file)
      .file()
      .group(group)
      .must(not_empty)
      .text("write the histograms as a log that HdrHistogram's tools read, in nanoseconds");
  o.text("--csv", config.csv_file)
      .file()
      .group(group)
      .must(not_empty)
      .text("write a line per second of the run, for a spreadsheet; what is not known is empty");
}

ValueResult keep_address(std::optional<mqtt::net::HostPort>& target, std::string_view text) {
  auto address = parse_address_with_port(text);
  if (!address) return std::unexpected(std::move(address.error()));
  target = std::move(*address);
  return {};
}

void declare_prometheus(Options& o, ResultsConfig& config) {
  o.parsed("--prometheus", [&config](std::string_view text) { return keep_address(config.prometheus, text); })
      .metavar("ADDR")
      .group(group)
      .text(
          "let Prometheus watch the run: its metrics are at http://ADDR/metrics while it lasts; with port 0 "
          "the "
          "system chooses one, which is said")
      .example("--prometheus 127.0.0.1:9400");
}

void declare_thresholds(Options& o, ResultsConfig& config) {
  o.parsed("--threshold",
           [&config](std::string_view text) { return keep_threshold(config.thresholds, text); })
      .repeats()
      .metavar("EXPR")
      .group(group)
      .text(
          "what the run has to keep to, or the exit code is 13: a percentile, min, mean or max of the "
          "latency "
          "(p99<5ms) or of another one (ack.max<1s), a count (lost==0), rate or sent_rate (rate>=9990); a "
          "run "
          "whose verdict is not valid keeps to none")
      .example("--threshold 'p99<5ms' --threshold lost==0");
}

void declare_progress(Options& o, ResultsConfig& config) {
  o.choice("--progress", config.progress,
           {{"auto", ProgressMode::automatic},
            {"text", ProgressMode::text},
            {"json", ProgressMode::json},
            {"none", ProgressMode::none}})
      .metavar("FORM")
      .group(group)
      .text(
          "what is said each second on standard error: on a terminal a display, else a line (auto); a line; "
          "a JSON object; nothing");
}

void declare_self(Options& o, ResultsConfig& config) {
  o.flag("--self", config.self)
      .group(group)
      .text(
          "against a broker of its own, in a thread of this process on 127.0.0.1: the floor, what the "
          "machine and "
          "mqbench take at least")
      .excludes({"--url", "--host", "--port", "--unix", "--proxy", "-S", "--shard", "--broker",
                 "--publish-to", "--subscribe-from"});
}

void declare_watching(Options& o, ResultsConfig& config) {
  o.parsed("--watch-pid", [&config](std::string_view text) { return keep_pid(config.watched, text); })
      .kind(ValueKind::number)
      .repeats()
      .metavar("PID")
      .group(group)
      .text(
          "a process of the broker on this machine: its processor time, memory and descriptors go into the "
          "result; several are added up, children are not looked for")
      .example("--watch-pid $(pidof mosquitto)");
}

}  // namespace

void declare_result_options(Options& options, ResultsConfig& config) {
  declare_files(options, config);
  declare_thresholds(options, config);
  declare_watching(options, config);
  declare_progress(options, config);
  declare_prometheus(options, config);
  declare_self(options, config);
}

std::optional<std::string> check_self(const ResultsConfig& config, const ConnectionConfig& connection) {
  if (!config.self || connection.transport == mqtt::Transport::tcp) return std::nullopt;
  return "option '--self': that broker speaks plain TCP, without TLS and WebSocket";
}

std::optional<std::string> check_thresholds(const ResultsConfig& config, const Scenario& scenario) {
  for (const Threshold& threshold : config.thresholds)
    if (const auto why = threshold.impossible_in(scenario))
      return fmt::format("option '--threshold': {}: {}", in_quotes(threshold.text()), *why);
  return std::nullopt;
}

}  // namespace mq::bench
