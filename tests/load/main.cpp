// mqload SCENARIO [--option VALUE ...]: loads a broker and prints one line of JSON about what happened.
// It counts and measures; whether that is good enough is for tests/load/run and tests/bench/brokers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <csignal>
#include <cstdio>

#include "scenarios.hpp"

namespace {

const std::vector<load::Option> common_options{{"host", "127.0.0.1"}, {"port", "1883"}, {"version", "5"},
                                               {"sources", "1"},      {"cafile", ""},   {"broker-pid", "0"},
                                               {"limit", "300"}};

std::vector<load::Scenario> scenarios() {
  std::vector<load::Scenario> all = load::flow_scenarios();
  for (auto& scenario : load::storm_scenarios()) all.push_back(std::move(scenario));
  all.push_back(load::idle_scenario());
  all.push_back(load::retained_scenario());
  all.push_back(load::subs_scenario());
  for (auto& scenario : all)
    scenario.options.insert(scenario.options.end(), common_options.begin(), common_options.end());
  return all;
}

int usage() {
  fmt::print(stderr, "usage: mqload SCENARIO [--option VALUE ...]\n");
  for (const auto& scenario : scenarios()) {
    fmt::print(stderr, "\n{}: {}\n ", scenario.name, scenario.what);
    for (const auto& option : scenario.options) fmt::print(stderr, " --{} {}", option.name, option.value);
    fmt::print(stderr, "\n");
  }
  return 2;
}

int fail(const std::string& why) {
  fmt::print(stderr, "mqload: {}\n", why);
  return 1;
}

int run(const load::Scenario& scenario, int argc, char** argv) {
  const auto args = load::Args::parse(scenario.options, argc, argv);
  if (!args) return fail(args.error());
  const auto outcome = scenario.run(*args);
  if (!outcome) return fail(outcome.error());
  fmt::print("{}\n", outcome->dump());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT: TLS writes have no MSG_NOSIGNAL
  load::raise_descriptor_limit();
  if (argc < 2) return usage();
  for (const auto& scenario : scenarios())
    if (scenario.name == argv[1]) return run(scenario, argc - 2, argv + 2);
  return usage();
}
