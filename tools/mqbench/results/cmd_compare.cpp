#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include <mqtt/util/text.hpp>

#include "common/spelling.hpp"
#include "common/value_checks.hpp"
#include "mqbench/results/commands.hpp"
#include "mqbench/results/compare.hpp"
#include "mqbench/results/metadata.hpp"

namespace mq::bench::results {
namespace {

/// Stands for the "--" between the two groups while options are parsed, which may stand on both sides of it.
/// No name of a file can be like it.
constexpr std::string_view separator{"/\n/"};

struct CompareConfig {
  std::vector<std::string> files;  ///< with the separator
  std::string json_file;
  CompareSettings settings;
  std::vector<Circumstance> across;
};

Program compare_program() {
  return {.name = "mqbench compare",
          .summary =
              "Compares repeated runs: is B better or worse than A, or is it chance? Exit codes: 13 if B is "
              "worse in anything or the runs are too few for a verdict, 2 if they cannot be compared.",
          .usage = "[OPTIONS] A... -- B..."};
}

/// "0.05", "5%".
std::optional<double> parse_share(std::string_view text) {
  const bool percent = text.ends_with("%");
  if (percent) text.remove_suffix(1);
  double value = 0;
  const auto [end, fault] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (fault != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return percent ? value / 100 : value;
}

ValueResult keep_alpha(double& target, std::string_view text) {
  const auto value = parse_share(text);
  if (!value || *value < 1e-6 || *value > 0.5)
    return std::unexpected(fmt::format("{} is not a probability from 0.000001 to 0.5", in_quotes(text)));
  target = *value;
  return {};
}

ValueResult keep_tolerance(double& target, std::string_view text) {
  const auto value = parse_share(text);
  if (!value || *value > 10)
    return std::unexpected(fmt::format("{} is not a share such as 2% or 0.02", in_quotes(text)));
  target = *value;
  return {};
}

ValueResult keep_across(std::vector<Circumstance>& target, std::string_view text) {
  for (const auto each : {Circumstance::scenario, Circumstance::machine, Circumstance::kernel,
                          Circumstance::protocol, Circumstance::tool})
    if (text == "all" || text == to_string(each)) target.push_back(each);
  if (!target.empty() && (text == "all" || text == to_string(target.back()))) return {};
  return std::unexpected(
      fmt::format("{} is none of scenario, machine, kernel, protocol, tool and all", in_quotes(text)));
}

void declare(Options& o, CompareConfig& config) {
  o.list("RESULT", config.files)
      .completes(Completion::file)
      .text("what mqbench run --json has written: those of A, '--', and those of B")
      .typed_only();
  o.parsed("--alpha", [&config](std::string_view text) { return keep_alpha(config.settings.alpha, text); })
      .metavar("P")
      .default_text("0.01")
      .text("how improbable a difference must be by chance, for each metric by itself");
  o.parsed("--tolerance",
           [&config](std::string_view text) { return keep_tolerance(config.settings.tolerance, text); })
      .metavar("SHARE")
      .default_text("1%")
      .text("how much the median may change without being better or worse");
  o.parsed("--across", [&config](std::string_view text) { return keep_across(config.across, text); })
      .metavar("WHAT")
      .suggests(
          [] { return std::vector<std::string>{"scenario", "machine", "kernel", "protocol", "tool", "all"}; })
      .repeats()
      .text(
          "compare runs all the same that differ in this: scenario, machine, kernel, protocol, tool or all");
  o.number("--seed", config.settings.seed).metavar("N").text("of the bootstrap behind the intervals");
  o.text("--json", config.json_file)
      .file()
      .default_text("")
      .must(not_empty)
      .text("write the comparison as JSON, too; '-' is standard output instead of the table");
  o.rule([&config]() -> std::optional<std::string> {
    const auto at = std::ranges::find(config.files, separator);
    if (at == config.files.begin() || at == config.files.end() || at + 1 == config.files.end())
      return "it needs results on both sides of '--'";
    return std::nullopt;
  });
  o.example("mqbench compare old-*.json -- new-*.json", "has the broker become slower?");
  o.example("mqbench compare --across kernel a*.json -- b*.json", "the same machine under two kernels");
}

std::vector<Difference> differences_of(std::span<const StoredResult> a, std::span<const StoredResult> b) {
  std::vector<const StoredResult*> all;
  for (const auto& group : {a, b})
    for (const StoredResult& result : group) all.push_back(&result);
  return find_differences(all);
}

bool is_of_brokers(const Difference& difference) { return difference.circumstance == Circumstance::broker; }

/// What is different and has not been allowed to be.
std::vector<Difference> refused(std::vector<Difference> differences,
                                const std::vector<Circumstance>& across) {
  std::erase_if(differences, [&across](const Difference& difference) {
    return is_of_brokers(difference) || std::ranges::find(across, difference.circumstance) != across.end();
  });
  return differences;
}

/// What is compared may be brokers; but who does not know should.
void tell_of_brokers(const std::vector<Difference>& differences, Diag& diag) {
  std::vector<std::string> all;
  for (const Difference& difference : differences)
    if (is_of_brokers(difference)) all.push_back(describe(difference));
  if (!all.empty()) diag.info(fmt::format("the runs are of different brokers: {}", fmt::join(all, ", ")));
}

Sentence refusal(const std::vector<Difference>& differences) {
  std::string list, options;
  for (const Difference& difference : differences) {
    list += fmt::format("{}{}", list.empty() ? "" : ", ", describe(difference));
    const std::string option = fmt::format(" --across {}", to_string(difference.circumstance));
    if (options.find(option) == options.npos) options += option;
  }
  return {fmt::format("the runs differ in what matters: {};{} compares them all the same", list, options)};
}

void warn_of_invalid(std::span<const StoredResult> results, Diag& diag) {
  for (const StoredResult& result : results)
    if (result.verdict != "valid" || result.interrupted)
      diag.warning(
          fmt::format("{} is a run that {}", result.file,
                      result.interrupted ? "was interrupted" : fmt::format("is {}", result.verdict)));
}

ExitCode compare_files(const CompareConfig& config, Diag& diag) {
  const auto at = std::ranges::find(config.files, separator);
  const auto a = read_results({config.files.begin(), at}, diag);
  if (!a) return a.error();
  const auto b = read_results({at + 1, config.files.end()}, diag);
  if (!b) return b.error();
  const std::vector<Difference> differences = differences_of(*a, *b);
  if (const auto bad = refused(differences, config.across); !bad.empty()) {
    diag.error(refusal(bad));
    return ExitCode::usage;
  }
  tell_of_brokers(differences, diag);
  warn_of_invalid(*a, diag);
  warn_of_invalid(*b, diag);
  const Comparison comparison = compare(*a, *b, config.settings);
  if (!config.json_file.empty())
    if (const auto code = write_output(config.json_file, as_json(comparison, config.settings, *a, *b), diag);
        code != ExitCode::ok)
      return code;
  if (config.json_file != "-")
    if (const auto code = write_output("-", as_text(comparison, config.settings), diag); code != ExitCode::ok)
      return code;
  // A build that asks is not to pass because nothing could be said.
  return comparison.any(Change::worse) || comparison.any(Change::too_few) ? ExitCode::expectation
                                                                          : ExitCode::ok;
}

}  // namespace

ExitCode compare_command(int argc, char** arguments) {
  std::string stands_for{separator};
  for (int n = 1; n < argc; ++n) {
    if (std::string_view{arguments[n]} != "--") continue;
    arguments[n] = stands_for.data();
    break;
  }
  Options options{compare_program()};
  CompareConfig config;
  declare(options, config);
  if (const auto parsed = options.parse(argc, arguments); !parsed) return parsed.error();
  Diag diag{"mqbench"};
  return compare_files(config, diag);
}

}  // namespace mq::bench::results
