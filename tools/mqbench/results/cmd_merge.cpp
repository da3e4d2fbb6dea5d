#include "mqbench/results/commands.hpp"
#include "mqbench/results/merge.hpp"

namespace mq::bench::results {

ExitCode merge_command(int argc, char** arguments) {
  bool force = false;
  const FileMaker maker{
      .program = {.name = "mqbench merge",
                  .summary = "Adds up the results of a run that several workers made, counter by counter.",
                  .usage = "[OPTIONS] RESULT... -o FILE"},
      .deed = "merge",
      .product = "merged result",
      .declare =
          [&force](Options& o, const std::vector<std::string>&) {
            o.flag("--force", force).text("merge results of different runs or scenarios, too");
            o.example("mqbench merge worker-*.json -o all.json",
                      "the result of all workers of a sharded run");
          },
      .make = [&force](std::span<const StoredResult> parts,
                       Diag& diag) -> std::expected<std::string, std::string> {
        const auto merged = merge(parts, force ? MergeRule::any : MergeRule::one_run);
        if (!merged) return std::unexpected(merged.error());
        for (const std::string& warning : merged->warnings) diag.warning(warning);
        return as_json(merged->result);
      }};
  return make_file(maker, argc, arguments);
}

}  // namespace mq::bench::results
