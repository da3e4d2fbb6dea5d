#include "mqspy/options.hpp"

#include <fmt/format.h>

#include "common/connect_options.hpp"
#include "common/spelling.hpp"
#include "common/value_checks.hpp"
#include "mqspy/explain.hpp"

namespace mq::spy {
namespace {

using Fault = std::optional<std::string>;

struct NamedCommand {
  Command command;
  OwnCommand words;
};
constexpr NamedCommand commands[] = {
    {Command::proxy,
     {"proxy", "--listen URL --to URL [OPTIONS]",
      "Stands between clients and a server, and shows what goes by. Bytes are passed on first, and a copy is "
      "looked at."}},
    {Command::read,
     {"read", "FILE [OPTIONS]",
      "Shows what is in a capture (pcap or pcapng), or in JSON lines of mqspy --json --raw; '-' is standard "
      "input."}},
    {Command::capture,
     {"capture", "-i INTERFACE [FILTER…] [OPTIONS]",
      "Shows what goes by at a network interface, as root or with CAP_NET_RAW. FILTER is written as for "
      "tcpdump."}},
    {Command::lint,
     {"lint", "FILE [OPTIONS]",
      "Shows only what is wrong in a capture, and ends with exit code 13 if something is. FILE is as for "
      "read."}},
    {Command::replay,
     {"replay", "FILE --to URL [OPTIONS]",
      "Sends to a server what one client of a recording has sent, and compares the answers; exit code 13 if "
      "they differ. FILE is as for read."}},
    {Command::decode,
     {"decode", "[HEX…] [OPTIONS]",
      "Takes packets apart that are given as hexadecimal digits, base64 or bytes: as arguments, in a file or "
      "on standard input."}},
    {Command::explain,
     {"explain", "(NAME | --coverage) [OPTIONS]",
      "Says what a clause, a reason code, a property or a packet type is: MQTT-3.3.1-2, 0x87, topic-alias, "
      "PUBREL."}}};

Fault choose_command(SpyConfig& config) {
  std::string known;
  for (const NamedCommand& command : commands) {
    if (command.words.name == config.typed.command) {
      config.command = command.command;
      return std::nullopt;
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", command.words.name);
  }
  if (config.typed.command.empty())
    return fmt::format("there is no command: use one of {} (or --help)", known);
  return fmt::format("there is no command {}: use one of {}", in_quotes(config.typed.command), known);
}

Fault check_arguments(const SpyConfig& config) {
  const bool reads =
      config.command == Command::read || config.command == Command::lint || config.command == Command::replay;
  if (reads && config.arguments.size() != 1)
    return fmt::format("{} needs one file, or - for standard input", config.typed.command);
  if (config.command == Command::proxy && !config.arguments.empty())
    return fmt::format("proxy takes no argument {}", in_quotes(config.arguments[0]));
  if (config.command == Command::explain && config.arguments.empty() != config.coverage)
    return "explain needs a clause, reason code, property or packet type, or --coverage";
  if (config.command == Command::capture && config.interface.empty())
    return "option '--interface' is missing: where is there something to see? \"any\" is all";
  if (config.command == Command::replay && !config.proxy.server.to)
    return "option '--to' is missing: where is the server?";
  if (config.command == Command::proxy) return find_proxy_fault(config.proxy);
  return std::nullopt;
}

void declare_reading(Options& o, SpyConfig& config) {
  constexpr std::string_view group = "Reading";
  o.choice("-V,--protocol-version", config.version,
           {{"5", mqtt::Version::v5},
            {"mqttv5", mqtt::Version::v5},
            {"311", mqtt::Version::v3_1_1},
            {"mqttv311", mqtt::Version::v3_1_1},
            {"31", mqtt::Version::v3_1},
            {"mqttv31", mqtt::Version::v3_1}})
      .metavar("VERSION")
      .group(group)
      .text(
          "decode: of packets without a CONNECT before them (default: the first in which they can be read)");
  o.text("-i,--interface", config.interface)
      .metavar("NAME")
      .completes(Completion::interface)
      .suggests([] { return std::vector<std::string>{"any"}; })
      .must(not_empty)
      .group(group)
      .text("capture: the network interface, or any");
  o.flag("--coverage", config.coverage)
      .group(group)
      .text("explain: which clauses lint judges, and why not the others");
  o.choice("--from", config.sender, {{"client", mqtt::Sender::client}, {"server", mqtt::Sender::server}})
      .metavar("SIDE")
      .group(group)
      .text("decode: who sent the packets (default: by their types)");
}

/// What only some commands have a use for: groups, then single options of them.
void declare_takers(Options& o) {
  o.group_taken_by("Proxy", {"proxy"});
  o.group_taken_by("Faults", {"proxy"});
  o.group_taken_by("Server", {"proxy", "replay"});
  o.group_taken_by("Replay", {"replay"});
  o.group_taken_by("Selecting", {"proxy", "read", "capture", "lint"});
  o.taken_by("--filter", {"proxy", "read", "capture", "lint", "replay"});
  o.group_taken_by("Reading", {"decode"});
  o.taken_by("--interface", {"capture"});
  o.taken_by("--coverage", {"explain"});
  o.group_taken_by("Showing", {"proxy", "read", "capture", "lint", "replay"});
  for (const std::string_view name :
       {"--verbose", "--no-acks", "--snippet", "--show-secrets", "--json", "--raw"})
    o.taken_by(name, {"proxy", "read", "capture", "lint", "replay", "decode"});
}

std::vector<OwnCommand> own_commands() {
  std::vector<OwnCommand> own;
  for (const NamedCommand& command : commands) own.push_back(command.words);
  return own;
}

std::vector<std::string> command_words() {
  std::vector<std::string> words;
  for (const NamedCommand& command : commands) words.emplace_back(command.words.name);
  return words;
}

std::vector<std::string> argument_words() {
  std::vector<std::string> lines = explained_words();
  for (std::string& line : lines) line = "explain " + line;
  return lines;
}

}  // namespace

Program mqspy_program() {
  return {.name = "mqspy",
          .summary = "Shows MQTT packets, and says what is wrong with them by clause of the specification.",
          .usage = "",
          .own_commands = own_commands()};
}

void declare_spy_options(Options& o, SpyConfig& config) {
  o.text("COMMAND", config.typed.command)
      .default_text("")
      .text("what to do: proxy, read, capture, lint, replay, decode, explain")
      .suggests(command_words)
      .typed_only();
  o.list("ARGUMENT", config.arguments)
      .text("what to do it with")
      .typed_only()
      .completes(Completion::file, {"read", "lint", "replay"})
      .suggests(argument_words);
  o.rule([&config] { return choose_command(config); });
  o.rule([&o, &config] { return o.not_taken_by(config.typed.command); });
  o.rule([&config] { return check_arguments(config); });
  declare_proxy_options(o, config.proxy);
  declare_replay_options(o, config.replay);
  declare_selection_options(o, config.selection);
  declare_reading(o, config);
  declare_view_options(o, config);
  declare_log_options(o, config.log);
  declare_takers(o);
  o.example("mqspy proxy --listen 127.0.0.1:1884 --to mqtt://broker.lan",
            "stand between clients and a broker");
  o.example("mqspy proxy --listen 127.0.0.1:1884 --to broker.lan --fault 'type==PUBREC [nth=3] do drop'",
            "and lose a packet");
  o.example("mqspy read capture.pcapng", "the packets of a capture, a line each");
  o.example("tcpdump -w - port 1883 | mqspy read -", "see them go by");
  o.example("mqspy capture -i eth0 tcp port 1883", "the same by itself, as root");
  o.example("mqspy lint capture.pcapng", "only what is wrong; exit code 13 if something is");
  o.example("mqspy replay capture.pcapng --to broker.lan --filter 'client_id==\"plc3\"'",
            "a client once more, its answers compared");
  o.example("mqspy explain MQTT-3.3.1-2", "a clause, in both versions; also 0x87, topic-alias, PUBREL");
  o.example("mqspy decode 30060003612f6278", "take a packet apart");
}

}  // namespace mq::spy
