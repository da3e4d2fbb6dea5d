#include "mqbench/report/cmd_report.hpp"

#include <fmt/format.h>

#include "mqbench/report/page.hpp"
#include "mqbench/results/commands.hpp"

namespace mq::bench::report {
namespace {

void declare_report(Options& o, const std::vector<std::string>& files) {
  o.rule([&files]() -> std::optional<std::string> {
    if (files.size() <= results_max) return std::nullopt;
    return fmt::format("{} results are more than {}, which can be told from each other", files.size(),
                       results_max);
  });
  o.example("mqbench report result.json -o report.html", "look at a run");
  o.example("mqbench report mosquitto.json mqbroker.json -o report.html", "two runs side by side");
}

}  // namespace

ExitCode report_command(int argc, char** arguments) {
  const results::FileMaker maker{
      .program = {.name = "mqbench report",
                  .summary = "Draws results as one HTML file, which needs nothing else to be looked at.",
                  .usage = "[OPTIONS] RESULT... -o FILE"},
      .deed = "draw",
      .product = "page",
      .declare = declare_report,
      .make = [](std::span<const results::StoredResult> all,
                 Diag&) -> std::expected<std::string, std::string> { return page(all); }};
  return results::make_file(maker, argc, arguments);
}

}  // namespace mq::bench::report
