#include <string_view>
#include <utility>

#include "common/stdio.hpp"
#include "mqbench/app.hpp"
#include "mqbench/command_line.hpp"
#include "mqbench/options.hpp"
#include "mqbench/report/cmd_report.hpp"
#include "mqbench/results/commands.hpp"

int main(int argc, char** argv) {
  mq::reserve_standard_descriptors();
  if (const auto code = mq::bench::results::reading_command(argc, argv)) return mq::to_int(*code);
  if (argc > 1 && std::string_view{argv[1]} == "report")
    return mq::to_int(mq::bench::report::report_command(argc - 1, argv + 1));
  mq::Options options{mq::bench::mqbench_program()};
  mq::bench::BenchConfig config;
  mq::bench::declare_bench_options(options, config);
  if (const auto parsed = options.parse(argc, argv); !parsed) return mq::to_int(parsed.error());
  return mq::to_int(mq::bench::bench(std::move(config), mq::bench::command_line(argc, argv)));
}
