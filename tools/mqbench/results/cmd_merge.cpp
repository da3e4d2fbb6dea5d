#include "mqbench/results/commands.hpp"
#include "mqbench/results/merge.hpp"

namespace mq::bench::results {
namespace {

struct MergeConfig {
  std::vector<std::string> files;
  std::string output;
  bool force = false;
};

Program merge_program() {
  return {.name = "mqbench merge",
          .summary = "Adds up the results of a run that several workers made, counter by counter.",
          .usage = "[OPTIONS] RESULT... -o FILE"};
}

void declare(Options& o, MergeConfig& config) {
  o.list("RESULT", config.files)
      .text("what mqbench run --json has written; '-' is standard input")
      .typed_only();
  declare_output(o, config.output, "write the merged result there, '-' is standard output");
  o.flag("--force", config.force).text("merge results of different runs or scenarios, too");
  o.rule([&config]() -> std::optional<std::string> {
    if (config.files.empty()) return "it needs the RESULTs to merge";
    if (config.output.empty()) return "it needs -o FILE, where the merged result goes";
    return std::nullopt;
  });
  o.example("mqbench merge worker-*.json -o all.json", "the result of all workers of a sharded run");
}

}  // namespace

ExitCode merge_command(int argc, char** arguments) {
  Options options{merge_program()};
  MergeConfig config;
  declare(options, config);
  if (const auto parsed = options.parse(argc, arguments); !parsed) return parsed.error();
  Diag diag{"mqbench"};
  const auto parts = read_results(config.files, diag);
  if (!parts) return parts.error();
  const auto merged = merge(*parts, config.force ? MergeRule::any : MergeRule::one_run);
  if (!merged) {
    diag.error(merged.error());
    return ExitCode::usage;
  }
  for (const std::string& warning : merged->warnings) diag.warning(warning);
  return write_output(config.output, as_json(merged->result), diag);
}

}  // namespace mq::bench::results
