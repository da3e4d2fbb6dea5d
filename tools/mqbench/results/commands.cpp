#include "mqbench/results/commands.hpp"

#include <fmt/format.h>
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

ExitCode make_file(const FileMaker& maker, int argc, char** arguments) {
  Options options{maker.program};
  std::vector<std::string> files;
  std::string output;
  options.list("RESULT", files)
      .completes(Completion::file)
      .text("what mqbench run --json has written; '-' is standard input")
      .typed_only();
  options.text("-o,--output", output)
      .file()
      .default_text("")
      .must(not_empty)
      .text(fmt::format("write the {} there, '-' is standard output", maker.product));
  options.rule([&]() -> std::optional<std::string> {
    if (files.empty()) return fmt::format("it needs each RESULT to {}", maker.deed);
    if (output.empty()) return fmt::format("it needs -o FILE, where the {} goes", maker.product);
    return std::nullopt;
  });
  maker.declare(options, files);
  if (const auto parsed = options.parse(argc, arguments); !parsed) return parsed.error();
  Diag diag{"mqbench"};
  const auto results = read_results(files, diag);
  if (!results) return results.error();
  const auto made = maker.make(*results, diag);
  if (made) return write_output(output, *made, diag);
  diag.error(made.error());
  return ExitCode::usage;
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
