#include "mqbench/report/cmd_report.hpp"

#include <fmt/format.h>

#include "mqbench/report/page.hpp"
#include "mqbench/results/commands.hpp"

namespace mq::bench::report {
namespace {

struct ReportConfig {
  std::vector<std::string> files;
  std::string output;
};

Program report_program() {
  return {.name = "mqbench report",
          .summary = "Draws results as one HTML file, which needs nothing else to be looked at.",
          .usage = "[OPTIONS] RESULT... -o FILE"};
}

void declare(Options& o, ReportConfig& config) {
  o.list("RESULT", config.files)
      .text("what mqbench run --json has written; '-' is standard input")
      .typed_only();
  results::declare_output(o, config.output, "write the page there, '-' is standard output");
  o.rule([&config]() -> std::optional<std::string> {
    if (config.files.empty()) return "it needs the RESULTs to draw";
    if (config.files.size() > results_max)
      return fmt::format("{} results are more than {}, which can be told from each other",
                         config.files.size(), results_max);
    if (config.output.empty()) return "it needs -o FILE, where the page goes";
    return std::nullopt;
  });
  o.example("mqbench report result.json -o report.html", "look at a run");
  o.example("mqbench report mosquitto.json mqbroker.json -o report.html", "two runs side by side");
}

}  // namespace

ExitCode report_command(int argc, char** arguments) {
  Options options{report_program()};
  ReportConfig config;
  declare(options, config);
  if (const auto parsed = options.parse(argc, arguments); !parsed) return parsed.error();
  Diag diag{"mqbench"};
  const auto all = results::read_results(config.files, diag);
  if (!all) return all.error();
  return results::write_output(config.output, page(*all), diag);
}

}  // namespace mq::bench::report
