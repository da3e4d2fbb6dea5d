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

constexpr auto watching = {Command::proxy, Command::read, Command::lint};
constexpr auto showing = {Command::proxy, Command::read, Command::lint, Command::decode};
constexpr auto proxy = {Command::proxy};
constexpr auto decode = {Command::decode};
constexpr auto explain = {Command::explain};

/// Options before the groups that they are in.
constexpr std::array uses{
    Use{"--verbose", showing, "proxy, read, lint and decode"},
    Use{"--no-acks", showing, "proxy, read, lint and decode"},
    Use{"--snippet", showing, "proxy, read, lint and decode"},
    Use{"--show-secrets", showing, "proxy, read, lint and decode"},
    Use{"--coverage", explain, "explain"},
    Use{"Proxy", proxy, "proxy"},
    Use{"Faults", proxy, "proxy"},
    Use{"Selecting", watching, "proxy, read and lint"},
    Use{"Reading", decode, "decode"},
    Use{"Showing", watching, "proxy, read and lint"},
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
