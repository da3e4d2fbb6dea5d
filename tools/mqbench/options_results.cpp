#include "mqbench/options_results.hpp"

#include <fmt/format.h>

#include <mqtt/util/text.hpp>

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

void declare_files(Options& o, ResultsConfig& config) {
  o.text("--json", config.json_file)
      .metavar("FILE")
      .group(group)
      .must(not_empty)
      .text("write the whole result as JSON; - is standard output, instead of the summary");
  o.text("--hdr", config.hdr_file)
      .metavar("FILE")
      .group(group)
      .must(not_empty)
      .text("write the histograms as a log that HdrHistogram's tools read, in nanoseconds");
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
  declare_watching(options, config);
}

}  // namespace mq::bench
