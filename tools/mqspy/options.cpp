#include "mqspy/options.hpp"

#include <fmt/format.h>

#include "common/connect_options.hpp"
#include "common/spelling.hpp"

namespace mq::spy {
namespace {

using Fault = std::optional<std::string>;

struct NamedCommand {
  std::string_view name;
  Command command;
};
constexpr NamedCommand commands[] = {{"decode", Command::decode}};

Fault choose_command(SpyConfig& config) {
  std::string known;
  for (const NamedCommand& command : commands) {
    if (command.name == config.typed.command) {
      config.command = command.command;
      return std::nullopt;
    }
    known += fmt::format("{}{}", known.empty() ? "" : ", ", command.name);
  }
  if (config.typed.command.empty())
    return fmt::format("there is no command: use one of {} (or --help)", known);
  return fmt::format("there is no command {}: use one of {}", quoted(config.typed.command), known);
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
      .text("of packets without a CONNECT before them (default: the first in which they can be read)");
  o.choice("--from", config.sender, {{"client", mqtt::Sender::client}, {"server", mqtt::Sender::server}})
      .metavar("SIDE")
      .group(group)
      .text("decode: who sent the packets (default: by their types)");
}

}  // namespace

Program mqspy_program() {
  return {.name = "mqspy",
          .summary = "Shows MQTT packets, and says what is wrong with them by clause of the specification.",
          .usage = "decode [HEX…|FILE|-] [OPTIONS]"};
}

void declare_spy_options(Options& o, SpyConfig& config) {
  o.text("COMMAND", config.typed.command).default_text("").text("what to do: decode").typed_only();
  o.list("ARGUMENT", config.arguments).text("what to do it with").typed_only();
  declare_reading(o, config);
  declare_view_options(o, config);
  declare_log_options(o, config.log);
  o.rule([&config] { return choose_command(config); });
  o.example("mqspy decode 30050003612f6278", "take a packet apart");
}

}  // namespace mq::spy
