#pragma once
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/diag.hpp"
#include "common/exit_code.hpp"
#include "common/options.hpp"
#include "mqbench/results/stored_result.hpp"

namespace mq::bench::results {

/// "mqbench merge" and "mqbench compare": what reads results instead of making them. `arguments`
/// begin with the program's name. Nothing if they name none of these.
[[nodiscard]] std::optional<ExitCode> reading_command(int argc, char** arguments);

/// `arguments` begin with the command's name.
[[nodiscard]] ExitCode merge_command(int argc, char** arguments);
[[nodiscard]] ExitCode compare_command(int argc, char** arguments);

/// What is said of a command that makes one file of results: "RESULT... -o FILE".
struct FileMaker {
  Program program;
  std::string_view deed;     ///< "merge": "it needs the RESULTs to merge"
  std::string_view product;  ///< "merged result": "where the merged result goes"
  /// What only this command has: options, and rules on how many results there are.
  std::function<void(Options&, const std::vector<std::string>& files)> declare;
  /// The file's text; the error is a sentence about the results.
  std::function<std::expected<std::string, std::string>(std::span<const StoredResult>, Diag&)> make;
};
/// `arguments` begin with the command's name.
[[nodiscard]] ExitCode make_file(const FileMaker& maker, int argc, char** arguments);

/// All of them, or the first fault, which has been said.
[[nodiscard]] std::expected<std::vector<StoredResult>, ExitCode> read_results(
    std::span<const std::string> paths, Diag& diag);
/// Into a file, as a whole, or to standard output ("-"); a fault has been said.
[[nodiscard]] ExitCode write_output(const std::string& path, std::string_view text, Diag& diag);

}  // namespace mq::bench::results
