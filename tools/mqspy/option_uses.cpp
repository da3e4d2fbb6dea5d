#include "mqspy/option_uses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <initializer_list>

namespace mq::spy {
namespace {

/// What only some commands have a use for.
struct Use {
  std::string_view name;  ///< of an option, or of a group of them
  std::initializer_list<Command> commands;
  std::string_view said;
};

constexpr auto for_watching = {Command::proxy, Command::read, Command::capture, Command::lint};
constexpr auto for_telling = {Command::proxy, Command::read, Command::capture, Command::lint,
                              Command::replay};
constexpr auto for_showing = {Command::proxy, Command::read,   Command::capture,
                              Command::lint,  Command::replay, Command::decode};
constexpr auto for_connecting = {Command::proxy, Command::replay};
constexpr auto for_replay = {Command::replay};
constexpr auto for_proxy = {Command::proxy};
constexpr auto for_capture = {Command::capture};
constexpr auto for_decode = {Command::decode};
constexpr auto for_explain = {Command::explain};

/// Options before the groups that they are in.
constexpr std::array uses{
    Use{"--verbose", for_showing, "proxy, read, capture, lint, replay and decode"},
    Use{"--no-acks", for_showing, "proxy, read, capture, lint, replay and decode"},
    Use{"--snippet", for_showing, "proxy, read, capture, lint, replay and decode"},
    Use{"--show-secrets", for_showing, "proxy, read, capture, lint, replay and decode"},
    Use{"--json", for_showing, "proxy, read, capture, lint, replay and decode"},
    Use{"--raw", for_showing, "proxy, read, capture, lint, replay and decode"},
    Use{"--interface", for_capture, "capture"},
    Use{"--coverage", for_explain, "explain"},
    Use{"Proxy", for_proxy, "proxy"},
    Use{"Faults", for_proxy, "proxy"},
    Use{"Server", for_connecting, "proxy and replay"},
    Use{"Replay", for_replay, "replay"},
    Use{"--filter", for_telling, "proxy, read, capture, lint and replay"},
    Use{"Selecting", for_watching, "proxy, read, capture and lint"},
    Use{"Reading", for_decode, "decode"},
    Use{"Showing", for_telling, "proxy, read, capture, lint and replay"},
};

}  // namespace

std::optional<std::string> find_useless_option(const Options& options, Command command) {
  for (const Option& option : options.all()) {
    if (!option.given()) continue;
    const OptionRecord& record = option.record();
    const auto* const use = std::ranges::find_if(uses, [&record](const Use& candidate) {
      return candidate.name == record.main_name() || candidate.name == record.group;
    });
    if (use != uses.end() && std::ranges::find(use->commands, command) == use->commands.end())
      return fmt::format("option '{}' is for {}", record.main_name(), use->said);
  }
  return std::nullopt;
}

}  // namespace mq::spy
