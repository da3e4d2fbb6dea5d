#include "mqbench/options.hpp"

#include <fmt/format.h>

#include <iterator>

#include "common/spelling.hpp"
#include "common/value_checks.hpp"
#include "mqbench/options_load.hpp"
#include "mqbench/options_results.hpp"
#include "mqbench/options_search.hpp"
#include "mqbench/options_shard.hpp"
#include "mqbench/options_verify.hpp"

namespace mq::bench {
namespace {

using Fault = std::optional<std::string>;
using mqtt::PropertyPlace;

struct NamedCommand {
  Command command;
  OwnCommand words;
};
constexpr NamedCommand commands[] = {
    {Command::run, {"run", "[SCENARIO] [OPTIONS]", "Runs a scenario, and says how long its messages took."}},
    {Command::search,
     {"search", "[SCENARIO] [OPTIONS]",
      "Searches for the highest load that is good: without loss, and as every --slo wants it."}},
    {Command::verify,
     {"verify", "[OPTIONS]",
      "Finds out whether the broker keeps what each QoS promises; exit code 13 if not."}},
    {Command::list,
     {"list", "[PRESET] [OPTIONS]",
      "Lists the presets, or prints one as a scenario file, as the options change it."}}};

Fault choose_command(BenchConfig& config) {
  const std::string& typed = config.typed.command;
  std::string all;
  for (const NamedCommand& known : commands) {
    if (typed == known.words.name) config.command = known.command;
    if (typed == known.words.name) return std::nullopt;
    fmt::format_to(std::back_inserter(all), "{}{}", all.empty() ? "" : ", ", known.words.name);
  }
  for (const std::string& name : mqbench_program().commands) {
    if (typed == name) return fmt::format("the command {} comes before all options", name);
    fmt::format_to(std::back_inserter(all), ", {}", name);
  }
  if (typed.empty()) return fmt::format("there is no command: use one of {} (or --help)", all);
  return fmt::format("there is no command {}: use one of {}", in_quotes(typed), all);
}

Fault find_stray(const Options& options, const BenchConfig& config) {
  if (config.command == Command::search && options.given("--threshold"))
    return "option '--threshold' is for mqbench run, not for search, which has --slo";
  return options.not_taken_by(config.typed.command);
}

/// In the others, clients come and go as the scenario says.
Fault check_reconnect(const BenchConfig& config) {
  if (!config.connection.reconnect.enabled) return std::nullopt;
  if (config.command == Command::verify) return "option '--reconnect': the clients of verify always do";
  const Scenario& s = config.scenario;
  const bool stays = s.operation == Operation::publish || s.operation == Operation::request ||
                     s.operation == Operation::subscribe;
  if (stays && s.stored == Stored::none) return std::nullopt;
  return "option '--reconnect': the clients of this scenario leave and come back by themselves";
}

Fault choose_what_to_do(const Options& options, BenchConfig& config) {
  if (config.command == Command::verify) return choose_verification(options, config);
  if (const auto fault = choose_scenario(options, config)) return fault;
  if (config.sharding.shard && config.sharding.shard->count > 1 && config.scenario.shares_out())
    return "option '--shard': who of a shared subscription got what is known to one process only";
  if (config.command == Command::search) return choose_search(config);
  return check_thresholds(config.results, config.scenario);
}

/// What a load of many clients does not do.
Fault check_connection(const ConnectionConfig& connection) {
  if (connection.persistent || connection.session_expiry > 0)
    return "options '-c' and '-x' would leave a session of each client at the broker";
  if (connection.properties.at(PropertyPlace::publish).view().find(mqtt::PropertyId::topic_alias))
    return "a Topic Alias of all messages would be one of many topics: use --topic-alias";
  if (connection.will_on_exit) return "option '--will-on-exit': the clients always leave in an orderly way";
  if (connection.log.debug) return "option '-d': a load has too many packets to show";
  if (!connection.url_topic.empty()) return "the URL has a topic, but the topics are the benchmark's own";
  return std::nullopt;
}

/// As with -L; but one of several brokers is enough that has a use for the option.
Fault check_brokers(const Options& options, const BenchConfig& config) {
  Fault first;
  if (config.brokers.uses(0)) return std::nullopt;  // the address of -L or -h, which has been checked
  for (const mqtt::Endpoint& url : config.brokers.urls) {
    auto fault = find_layer_clash(options, url.transport, "the broker's address", Source::command_line);
    if (!fault) return std::nullopt;
    if (!first) first = std::move(fault);
  }
  return first;
}

/// What only some commands have a use for: groups, then single options of them.
void declare_takers(Options& o) {
  for (const std::string_view group : {"Load", "Brokers", "Extent"})
    o.group_taken_by(group, {"run", "search", "list"});
  for (const std::string_view name : {"--publishers", "--subscribers", "--qos", "--size", "--rate",
                                      "--duration", "--count", "--drain", "--seed"})
    o.taken_by(name, {});  // all
  o.group_taken_by("Results", {"run"});
  o.taken_by("--watch-pid", {"run", "search"});
  o.taken_by("--self", {"run", "search"});
  o.taken_by("--json", {"run", "search", "verify"});
  o.group_taken_by(search_group, {"search"});
  o.group_taken_by(verification_group, {"verify"});
  o.group_taken_by("Several machines", {"run"});
  o.hide({"-c", "-x", "-d", "--will-on-exit"});  // check_connection() says why
}

std::vector<OwnCommand> own_commands() {
  std::vector<OwnCommand> own;
  for (const NamedCommand& command : commands) own.push_back(command.words);
  return own;
}

std::vector<std::string> preset_words() {
  std::vector<std::string> lines;
  for (const std::string_view command : {"run", "search", "list"})
    for (const Preset& preset : presets())
      lines.push_back(fmt::format("{} {}", command, preset.scenario.name));
  return lines;
}

}  // namespace

Program mqbench_program() {
  return {.name = "mqbench",
          .summary = "Loads an MQTT broker and measures what it does.",
          .usage = "",
          .own_commands = own_commands(),
          .commands = {"merge", "compare", "report"}};
}

void declare_bench_options(Options& options, BenchConfig& config) {
  options.text("COMMAND", config.typed.command)
      .default_text("")
      .text(
          "run a scenario; search for the highest load that is good; verify what a broker promises; list the "
          "presets, or print one as a scenario file")
      .suggests([] { return std::vector<std::string>{"run", "search", "verify", "list"}; })
      .typed_only();
  options.text("SCENARIO", config.typed.scenario)
      .text("the name of a preset (mqbench list), or a JSON file such as mqbench list NAME prints")
      .suggests([] { return preset_words(); })
      .completes(Completion::file, {"run", "search"})
      .typed_only();
  declare_load_options(options, config);
  declare_result_options(options, config.results);
  declare_search_options(options, config);
  declare_verify_options(options, config.verification);
  declare_shard_options(options, config.sharding);
  declare_connect_options(options, config.connection,
                          {PropertyPlace::connect, PropertyPlace::publish, PropertyPlace::subscribe});
  options.flag("--quickack", config.connection.quick_ack)
      .group("Connection")
      .text(
          "acknowledge TCP segments at once: a broker with Nagle's algorithm (mosquitto without "
          "set_tcp_nodelay) holds small ones back until then, up to 40 ms, which is the machine's and not "
          "the "
          "broker's time; costs a system call per read");
  declare_log_options(options, config.connection.log);
  declare_takers(options);
  options.rule([&config] { return choose_command(config); });
  options.rule([&options, &config] { return find_stray(options, config); });
  options.rule([&options, &config] { return choose_what_to_do(options, config); });
  options.rule([&options, &config] { return check_brokers(options, config); });
  options.rule([&config] { return check_self(config.results, config.connection); });
  options.rule([&config] { return check_connection(config.connection); });
  options.rule([&config] { return check_reconnect(config); });
  options.example("mqbench run", "ten pairs of clients on the broker of this machine");
  options.example("mqbench run fan-in -h broker --rate 20000/s --qos 1 --json result.json",
                  "20,000 messages a second of 1,000 publishers to one subscriber");
  options.example("mqbench run sink --publishers 4 --size 100 --duration 30s",
                  "how fast four publishers can be");
  options.example("mqbench search pairs -q 1 --slo 'p99<5ms'",
                  "the highest rate with which 99 of 100 messages arrive within 5 ms");
  options.example("mqbench verify --faults all --duration 1m",
                  "whether each QoS keeps its promise while connections break");
}

}  // namespace mq::bench
