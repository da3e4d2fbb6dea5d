#include <string_view>
#include <utility>

#include <mqtt/util/text.hpp>
#include <mqtt/util/utf8.hpp>

#include "common/stdio.hpp"
#include "mqbench/app.hpp"
#include "mqbench/options.hpp"
#include "mqbench/report/cmd_report.hpp"
#include "mqbench/results/commands.hpp"

namespace {

/// As a shell takes it.
std::string in_shell_quotes(std::string_view word) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_";
  if (!word.empty() && word.find_first_not_of(plain) == word.npos) return std::string{word};
  std::string quoted{"'"};
  for (const char c : word) quoted += c == '\'' ? std::string{R"('\'')"} : std::string(1, c);
  return quoted + "'";
}

/// After parsing, which has overwritten what is secret. JSON, where it goes, has room for UTF-8 only.
std::string joined(int argc, char** argv) {
  std::string line;
  for (int n = 0; n < argc; ++n) line.append(n == 0 ? "" : " ").append(in_shell_quotes(argv[n]));
  return mqtt::is_mqtt_utf8(mqtt::as_bytes(line)) ? line : mqtt::escape_for_terminal(line);
}

}  // namespace

int main(int argc, char** argv) {
  mq::reserve_standard_descriptors();
  if (const auto code = mq::bench::results::reading_command(argc, argv)) return mq::to_int(*code);
  if (argc > 1 && std::string_view{argv[1]} == "report")
    return mq::to_int(mq::bench::report::report_command(argc - 1, argv + 1));
  mq::Options options{mq::bench::mqbench_program()};
  mq::bench::BenchConfig config;
  mq::bench::declare_bench_options(options, config);
  if (const auto parsed = options.parse(argc, argv); !parsed) return mq::to_int(parsed.error());
  return mq::to_int(mq::bench::bench(std::move(config), joined(argc, argv)));
}
