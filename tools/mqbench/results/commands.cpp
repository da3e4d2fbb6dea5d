#include "mqbench/results/commands.hpp"

#include <unistd.h>

#include "common/value_checks.hpp"
#include "mqbench/result_file.hpp"

namespace mq::bench::results {

std::optional<ExitCode> reading_command(int argc, char** arguments) {
  const std::string_view name = argc > 1 ? arguments[1] : "";
  if (name == "merge") return merge_command(argc - 1, arguments + 1);
  if (name == "compare") return compare_command(argc - 1, arguments + 1);
  return std::nullopt;
}

Option& declare_output(Options& options, std::string& path, std::string_view text) {
  return options.text("-o,--output", path).metavar("FILE").default_text("").must(not_empty).text(text);
}

std::expected<std::vector<StoredResult>, ExitCode> read_results(std::span<const std::string> paths,
                                                                Diag& diag) {
  std::vector<StoredResult> results;
  for (const std::string& path : paths) {
    auto result = read_result(path);
    if (!result) {
      diag.error(result.error().sentence);
      return std::unexpected(result.error().code);
    }
    results.push_back(std::move(*result));
  }
  return results;
}

ExitCode write_output(const std::string& path, std::string_view text, Diag& diag) {
  const auto written =
      path == "-" ? write_all(STDOUT_FILENO, text, "standard output") : write_file(path, text);
  if (written) return ExitCode::ok;
  diag.error(local_io_failed(written.error()));
  return ExitCode::local_io;
}

}  // namespace mq::bench::results
